//! Pictures: accepted uploads, the widths and formats they are converted to, and their URLs.

use serde::{Deserialize, Serialize};

use crate::{
    field::{FieldCode, FieldError},
    id::kinds::MediaId,
    permissions::{AdminPermission, Permission},
    routes, text,
};

/// The maximum size of an upload in bytes.
pub const BYTES_MAX: usize = 12 * 1024 * 1024;
/// The maximum number of pixels.
pub const PIXELS_MAX: u64 = 40_000_000;
/// The maximum number of pixels per side. WebP ends at 16,383.
pub const SIDE_MAX: u32 = 16_000;
/// The maximum number of pictures per product.
pub const PER_PRODUCT_MAX: usize = 8;
/// The maximum number of characters of an alt text.
pub const ALT_MAX: usize = 300;
/// The widths in which pictures are stored, never wider than the original.
pub const WIDTHS: [u32; 3] = [320, 640, 1280];

/// How long a picture that nothing uses is kept. Pictures are uploaded before what they belong to is saved.
pub const KEEP_UNUSED_MS: i64 = 24 * 3_600_000;

text_enum! {
    /// What a picture is uploaded for.
    pub enum Purpose {
        /// A product.
        ProductPicture = "product_picture",
        /// The logo of a shop.
        Logo = "logo",
        /// A category of the market.
        CategoryPicture = "category_picture",
        /// The picture of a user.
        Avatar = "avatar",
        /// A review of a product.
        ReviewPicture = "review_picture",
        /// A message in a chat.
        ChatPicture = "chat_picture",
        /// What is wrong with a part of an order.
        ReturnPicture = "return_picture",
    }
}

/// Who may upload a picture, and whose it is then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploader {
    /// Members of a shop with this permission; the shop's.
    Member(Permission),
    /// Admins with this permission; the market's.
    Admin(AdminPermission),
    /// Signed-in users; their own.
    User,
    /// Whoever may see a purchase; one of its orders'. It is private ([`is_private`]).
    Customer,
    /// The two sides of a conversation; the conversation's. It is private, too.
    Party,
}

/// What may be uploaded for a purpose, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upload {
    /// Who may upload.
    pub may: Uploader,
    /// The maximum size in bytes, at most [`BYTES_MAX`].
    pub bytes_max: usize,
    /// The maximum number of pixels per side, at most [`SIDE_MAX`].
    pub side_max: u32,
    /// The maximum number of pictures: per product, per review, per message.
    pub count_max: usize,
}

impl Purpose {
    /// The one list of uploads, which every upload and every gallery consults.
    pub const fn upload(self) -> Upload {
        const MB: usize = 1024 * 1024;
        let (may, bytes_max, side_max, count_max) = match self {
            Self::ProductPicture => {
                (Uploader::Member(Permission::ManageCatalog), BYTES_MAX, SIDE_MAX, PER_PRODUCT_MAX)
            }
            Self::Logo => (Uploader::Member(Permission::ManageCatalog), 4 * MB, 8_000, 1),
            Self::CategoryPicture => {
                (Uploader::Admin(AdminPermission::ManageCatalog), BYTES_MAX, SIDE_MAX, 1)
            }
            Self::Avatar => (Uploader::User, 4 * MB, 8_000, 1),
            Self::ReviewPicture => (Uploader::User, BYTES_MAX, SIDE_MAX, 6),
            Self::ChatPicture => (Uploader::Party, BYTES_MAX, SIDE_MAX, 10),
            Self::ReturnPicture => (Uploader::Customer, BYTES_MAX, SIDE_MAX, 5),
        };
        Upload { may, bytes_max, side_max, count_max }
    }
}

impl Upload {
    /// Checks the size in bytes.
    pub fn check_bytes(&self, bytes: usize) -> Result<(), FieldCode> {
        match bytes {
            0 => Err(FieldCode::Missing),
            bytes if bytes > self.bytes_max => Err(FieldCode::PictureTooHeavy(self.bytes_max)),
            _ => Ok(()),
        }
    }

    /// Checks the longer side of a picture that [`check_size`] has accepted.
    pub fn check_side(&self, width: u32, height: u32) -> Result<(), FieldCode> {
        match width.max(height) {
            side if side > self.side_max => Err(FieldCode::PictureTooWide(self.side_max)),
            _ => Ok(()),
        }
    }

    /// Checks the number of pictures.
    pub fn check_count(&self, count: usize) -> Result<(), FieldCode> {
        if count > self.count_max { Err(FieldCode::TooMany) } else { Ok(()) }
    }
}

/// The accepted upload formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl Source {
    /// The format, detected from the first bytes, never from a name or media type. SVG is not accepted,
    /// because it can contain scripts.
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }
}

/// Why a file in no [`Source`] format is rejected.
pub fn refusal(bytes: &[u8]) -> FieldCode {
    const HEIC: [&[u8]; 8] = [b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"];
    let brand = bytes.get(4..8).filter(|kind| *kind == b"ftyp").and_then(|_| bytes.get(8..12));
    match brand {
        // AVIF files list this brand, too, but their own first.
        Some(brand) if HEIC.contains(&brand) => FieldCode::PictureHeic,
        _ => FieldCode::NotAPicture,
    }
}

/// Whether a picture is animated: only its first frame is kept.
pub fn is_animated(bytes: &[u8]) -> bool {
    match Source::sniff(bytes) {
        Some(Source::Webp) => {
            bytes.get(12..16) == Some(&b"VP8X"[..]) && bytes.get(20).is_some_and(|flags| flags & 2 != 0)
        }
        // Its control chunk comes before the first picture's data.
        Some(Source::Png) => {
            let mut rest = bytes.get(8..).unwrap_or_default();
            while let Some((&[a, b, c, d, ref kind @ ..], behind)) = rest.split_first_chunk::<8>() {
                match kind {
                    b"acTL" => return true,
                    b"IDAT" => return false,
                    _ => {}
                }
                let length = u32::from_be_bytes([a, b, c, d]) as usize;
                rest = behind.get(length.saturating_add(4)..).unwrap_or_default();
            }
            false
        }
        Some(Source::Jpeg) | None => false,
    }
}

/// Checks the size of any upload.
pub fn check_bytes(bytes: usize) -> Result<(), FieldCode> {
    match bytes {
        0 => Err(FieldCode::Missing),
        1..=BYTES_MAX => Ok(()),
        _ => Err(FieldCode::PictureTooHeavy(BYTES_MAX)),
    }
}

/// Checks the dimensions of a picture. Call it before decoding: a few bytes can claim any size.
pub fn check_size(width: u32, height: u32) -> Result<(), FieldCode> {
    let fits = width.max(height) <= SIDE_MAX && u64::from(width) * u64::from(height) <= PIXELS_MAX;
    match width.min(height) {
        0 => Err(FieldCode::PictureBroken),
        _ if fits => Ok(()),
        _ => Err(FieldCode::PictureTooLarge),
    }
}

/// An alt text, as entered. May be empty.
pub fn alt(field: &str, typed: &str) -> Result<String, FieldError> {
    text::optional_line(field, typed, ALT_MAX)
}

/// The formats in which pictures are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Small, with transparency.
    Webp,
    /// For browsers without WebP.
    Jpeg,
}

impl Format {
    /// Both formats.
    pub const ALL: [Self; 2] = [Self::Webp, Self::Jpeg];

    /// The file name extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Webp => "webp",
            Self::Jpeg => "jpg",
        }
    }

    /// The media type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Webp => "image/webp",
            Self::Jpeg => "image/jpeg",
        }
    }
}

/// Whether a picture is shown only to those who may see what it belongs to. Its ID says so, because files are served without
/// asking the database: it is a UUID of version 5, and that of any other picture is of version 8.
pub fn is_private(id: MediaId) -> bool {
    id.uuid().get_version_num() == 5
}

/// A stored file of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// The picture.
    pub id: MediaId,
    /// One of [`WIDTHS`].
    pub width: u32,
    /// The format.
    pub format: Format,
}

impl File {
    /// All files that a picture may have.
    pub fn all(id: MediaId) -> impl Iterator<Item = Self> {
        WIDTHS.into_iter().flat_map(move |width| Format::ALL.map(|format| Self { id, width, format }))
    }

    /// The file with this name, if the name is valid.
    pub fn parse(name: &str) -> Option<Self> {
        let (stem, extension) = name.split_once('.')?;
        let (id, width) = stem.split_once('-')?;
        Some(Self {
            id: id.parse().ok()?,
            width: WIDTHS.into_iter().find(|w| w.to_string() == width)?,
            format: Format::ALL.into_iter().find(|f| f.extension() == extension)?,
        })
    }
}

impl std::fmt::Display for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}.{}", self.id, self.width, self.format.extension())
    }
}

/// The stored widths of a picture: the nominal width in the file name and the actual one. The last is the
/// first that covers the whole original.
pub fn widths(original: u32) -> impl Iterator<Item = (u32, u32)> {
    let enough = WIDTHS.iter().position(|w| *w >= original).unwrap_or(WIDTHS.len() - 1);
    WIDTHS.into_iter().take(enough + 1).map(move |name| (name, name.min(original)))
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Image))]
pub struct Picture {
    /// The image's ID.
    pub id: MediaId,
    /// The width of the original in pixels.
    pub width: u32,
    /// The height of the original in pixels.
    pub height: u32,
    /// The dominant colour (`#rrggbb`), shown as a placeholder while the image loads.
    pub color: String,
    /// The alt text. May be empty.
    pub alt: String,
    /// Whether the upload was animated: only its first frame is kept. Only present in the response to an upload.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub animated: bool,
}

impl Picture {
    fn address(&self, width: u32, format: Format) -> String {
        routes::media(&File { id: self.id, width, format }.to_string())
    }

    /// The URL of a JPEG of medium width, for browsers that can't choose.
    pub fn src(&self) -> String {
        let width = widths(self.width).map(|(name, _)| name).take(2).last().unwrap_or(WIDTHS[0]);
        self.address(width, Format::Jpeg)
    }

    /// The name of a file of it: the largest, or a thumbnail. For private pictures.
    pub fn file(&self, thumbnail: bool) -> String {
        let mut widths = widths(self.width).map(|(name, _)| name);
        let width = if thumbnail { widths.next() } else { widths.last() };
        File { id: self.id, width: width.unwrap_or(WIDTHS[0]), format: Format::Jpeg }.to_string()
    }

    /// The URL of its largest JPEG.
    pub fn largest(&self) -> String {
        let width = widths(self.width).map(|(name, _)| name).last().unwrap_or(WIDTHS[0]);
        self.address(width, Format::Jpeg)
    }

    /// Its URLs in one format with their widths, for `srcset`.
    pub fn srcset(&self, format: Format) -> String {
        let each = widths(self.width).map(|(name, width)| format!("{} {width}w", self.address(name, format)));
        each.collect::<Vec<_>>().join(", ")
    }
}

/// An image to show with a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewPicture {
    /// The ID of an uploaded image.
    pub media: MediaId,
    /// The alt text. May be empty.
    pub alt: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn picture(width: u32) -> Picture {
        let id = MediaId::from_uuid(Uuid::from_u128(1));
        Picture { id, width, height: 100, color: "#aabbcc".into(), alt: String::new(), animated: false }
    }

    #[test]
    fn formats_are_recognised_by_their_bytes() {
        for (bytes, kind) in [
            (&b"\xFF\xD8\xFF\xE0"[..], Some(Source::Jpeg)),
            (b"\x89PNG\r\n\x1A\n", Some(Source::Png)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(Source::Webp)),
            (b"RIFF\x10\0\0\0WAVEfmt ", None),
            (b"GIF89a", None),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", None),
            (b"\x7FELF", None),
            (b"", None),
        ] {
            assert_eq!(Source::sniff(bytes), kind, "{bytes:?}");
        }
    }

    #[test]
    fn unsupported_formats_are_named_where_that_helps() {
        let of_brand = |brand: &[u8]| [&b"\0\0\0\x18ftyp"[..], brand, b"\0\0\0\0mif1heic"].concat();
        for (bytes, code) in [
            (of_brand(b"heic"), FieldCode::PictureHeic),
            (of_brand(b"mif1"), FieldCode::PictureHeic),
            (of_brand(b"avif"), FieldCode::NotAPicture),
            (of_brand(b"isom"), FieldCode::NotAPicture),
            (b"\0\0\0\x18ftyp".to_vec(), FieldCode::NotAPicture),
            (Vec::new(), FieldCode::NotAPicture),
        ] {
            assert_eq!(refusal(&bytes), code, "{bytes:?}");
        }
    }

    #[test]
    fn animations_are_recognised_by_their_header() {
        let webp = |flags: u8| [&b"RIFF\x20\0\0\0WEBPVP8X\x0A\0\0\0"[..], &[flags; 10]].concat();
        assert!(is_animated(&webp(0x12)));
        assert!(!is_animated(&webp(0x10)) && !is_animated(b"RIFF\x10\0\0\0WEBPVP8 \xFF\xFF\xFF\xFF\xFF"));
        let png =
            |kind: &[u8; 4]| [&b"\x89PNG\r\n\x1A\n\0\0\0\x02IHDRab1234\0\0\0\0"[..], kind, b"1234"].concat();
        assert!(is_animated(&png(b"acTL")));
        assert!(!is_animated(&png(b"IDAT")) && !is_animated(&png(b"zTXt")));
        assert!(!is_animated(b"\x89PNG\r\n\x1A\n\xFF\xFF\xFF\xFFjunk") && !is_animated(b"\xFF\xD8\xFFacTL"));
    }

    #[test]
    fn sizes_are_bounded() {
        for (width, height, expected) in [
            (1, 1, Ok(())),
            (8_000, 5_000, Ok(())),
            (8_000, 5_001, Err(FieldCode::PictureTooLarge)),
            (SIDE_MAX, 1, Ok(())),
            (SIDE_MAX + 1, 1, Err(FieldCode::PictureTooLarge)),
            (50_000, 50_000, Err(FieldCode::PictureTooLarge)),
            (u32::MAX, u32::MAX, Err(FieldCode::PictureTooLarge)),
            (0, 10, Err(FieldCode::PictureBroken)),
        ] {
            assert_eq!(check_size(width, height), expected, "{width} × {height}");
        }
        assert_eq!(check_bytes(0), Err(FieldCode::Missing));
        assert_eq!(check_bytes(BYTES_MAX), Ok(()));
        assert_eq!(check_bytes(BYTES_MAX + 1), Err(FieldCode::PictureTooHeavy(BYTES_MAX)));
    }

    #[test]
    fn every_purpose_has_its_uploaders_and_limits() {
        use Uploader::*;
        let (staff, admin) = (Member(Permission::ManageCatalog), Admin(AdminPermission::ManageCatalog));
        let table = [
            (Purpose::ProductPicture, staff, 12, 16_000, 8),
            (Purpose::Logo, staff, 4, 8_000, 1),
            (Purpose::CategoryPicture, admin, 12, 16_000, 1),
            (Purpose::Avatar, User, 4, 8_000, 1),
            (Purpose::ReviewPicture, User, 12, 16_000, 6),
            (Purpose::ChatPicture, Party, 12, 16_000, 10),
            (Purpose::ReturnPicture, Customer, 12, 16_000, 5),
        ];
        assert_eq!(table.map(|(purpose, ..)| purpose), Purpose::ALL);
        for (purpose, may, megabytes, side, count) in table {
            let (upload, bytes) = (purpose.upload(), megabytes * 1024 * 1024);
            assert_eq!(upload.may, may, "{purpose:?}");
            assert!(upload.bytes_max <= BYTES_MAX && upload.side_max <= SIDE_MAX, "{purpose:?}");
            assert_eq!(upload.check_bytes(0), Err(FieldCode::Missing));
            assert_eq!(upload.check_bytes(bytes), Ok(()), "{purpose:?}");
            assert_eq!(upload.check_bytes(bytes + 1), Err(FieldCode::PictureTooHeavy(bytes)));
            assert_eq!(upload.check_side(side, 1), Ok(()), "{purpose:?}");
            assert_eq!(upload.check_side(1, side + 1), Err(FieldCode::PictureTooWide(side)));
            assert_eq!(upload.check_count(count), Ok(()), "{purpose:?}");
            assert_eq!(upload.check_count(count + 1), Err(FieldCode::TooMany));
        }
    }

    #[test]
    fn nothing_is_made_wider_than_it_is() {
        for (original, expected) in [
            (200, &[(320, 200)][..]),
            (320, &[(320, 320)]),
            (500, &[(320, 320), (640, 500)]),
            (1280, &[(320, 320), (640, 640), (1280, 1280)]),
            (4000, &[(320, 320), (640, 640), (1280, 1280)]),
        ] {
            assert_eq!(widths(original).collect::<Vec<_>>(), expected, "{original}");
        }
    }

    #[test]
    fn addresses_are_those_of_files_that_are_made() {
        let id = "media_00000000000000000000000001";
        assert_eq!(picture(200).src(), format!("/media/{id}-320.jpg"));
        assert_eq!(picture(4000).src(), format!("/media/{id}-640.jpg"));
        let expected = format!("/media/{id}-320.webp 320w, /media/{id}-640.webp 500w");
        assert_eq!(picture(500).srcset(Format::Webp), expected);
    }

    #[test]
    fn all_files_of_a_picture_are_known() {
        let id = picture(4000).id;
        let made = widths(4000).flat_map(|(width, _)| Format::ALL.map(|format| File { id, width, format }));
        assert_eq!(File::all(id).collect::<Vec<_>>(), made.collect::<Vec<_>>());
    }

    #[test]
    fn only_names_of_ours_are_files() {
        let id = "media_00000000000000000000000001";
        let file = File::parse(&format!("{id}-640.webp")).unwrap();
        assert_eq!(
            (file.width, file.format, file.to_string()),
            (640, Format::Webp, format!("{id}-640.webp"))
        );
        for bad in [
            "".to_owned(),
            id.to_owned(),
            format!("{id}-641.webp"),
            format!("{id}-0640.webp"),
            format!("{id}-640.png"),
            format!("{id}-640.webp.br"),
            format!("../{id}-640.webp"),
            format!("{id}-640.webp/.."),
            format!("{id}-640.WEBP"),
            "prod_00000000000000000000000001-640.webp".to_owned(),
            "..-640.webp".to_owned(),
        ] {
            assert_eq!(File::parse(&bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_a_file_has_that_name(name in "[a-z0-9_./-]{0,60}") {
            if let Some(file) = File::parse(&name) {
                prop_assert_eq!(file.to_string(), name);
            }
        }

        #[test]
        fn every_file_finds_itself(bits: u128, width in 0usize..3, format in 0usize..2) {
            let id = MediaId::from_uuid(Uuid::from_u128(bits));
            let file = File { id, width: WIDTHS[width], format: Format::ALL[format] };
            prop_assert_eq!(File::parse(&file.to_string()), Some(file));
        }
    }
}

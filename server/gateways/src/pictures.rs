//! Pictures: what is sent is looked at, decoded, turned upright, and written anew in the widths and formats of
//! `haat_shared::media`. Metadata, trailing bytes and whatever else came along stay behind.

use std::{fs, io::Cursor, path::Path, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use haat_engine::media::{Kept, PictureError, PictureStore};
use haat_shared::{
    FieldCode,
    id::kinds::MediaId,
    media::{File, Format, Source, check_bytes, check_size, widths},
};
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage, RgbaImage,
    codecs::jpeg::JpegEncoder, imageops::FilterType,
};
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path as Name};
use tokio::sync::Semaphore;

/// How much of what there was to see is left in a JPEG, of 100.
const JPEG_QUALITY: u8 = 82;
/// The same for WebP.
const WEBP_QUALITY: f32 = 80.0;
/// Most bytes that one decoded picture may take: all pixels that are allowed, in the widest of common depths.
const DECODED_MAX: u64 = 8 * haat_shared::media::PIXELS_MAX;

/// Pictures in a folder.
pub struct Pictures {
    files: Arc<dyn ObjectStore>,
    /// Decoding takes memory and a core: only so many at once.
    turns: Arc<Semaphore>,
}

/// A file of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it holds.
    pub bytes: Bytes,
    /// What tells it from another version, for conditional requests.
    pub tag: String,
}

impl Pictures {
    /// The pictures in this folder, which is made if it is not there.
    pub fn in_folder(folder: &Path) -> Result<Self, String> {
        let fault = |why: String| format!("{}: {why}", folder.display());
        fs::create_dir_all(folder).map_err(|e| fault(e.to_string()))?;
        let files = LocalFileSystem::new_with_prefix(folder).map_err(|e| fault(e.to_string()))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { files: Arc::new(files), turns: Arc::new(Semaphore::new(cores.min(4))) })
    }

    /// A file, unless the reader has it: `Ok(None)` says so. `if_none_match` is the header of that name.
    pub async fn read(
        &self,
        file: File,
        if_none_match: Option<String>,
    ) -> Result<Option<Found>, haat_shared::Error> {
        let options = GetOptions { if_none_match, ..GetOptions::default() };
        let read = async {
            let found = self.files.get_opts(&Name::from(file.to_string()), options).await?;
            let tag = found.meta.e_tag.clone().unwrap_or_default();
            Ok(Found { bytes: found.bytes().await?, tag })
        };
        match read.await {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotModified { .. }) => Ok(None),
            Err(object_store::Error::NotFound { .. }) => Err(haat_shared::Error::NotFound),
            Err(error) => {
                tracing::error!(%file, %error, "a picture could not be read");
                Err(haat_shared::Error::Busy { retry_after_s: 5 })
            }
        }
    }
}

#[async_trait]
impl PictureStore for Pictures {
    async fn keep(&self, id: MediaId, bytes: Vec<u8>) -> Result<Kept, PictureError> {
        let away = |e: String| PictureError::Away(e);
        let turn = self.turns.clone().acquire_owned().await.map_err(|e| away(e.to_string()))?;
        let made = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            make(&bytes)
        });
        let Made { kept, files } =
            made.await.map_err(|e| away(e.to_string()))?.map_err(PictureError::Refused)?;
        for (width, format, bytes) in files {
            // Written under another name and then renamed: nobody reads half a file.
            let name = Name::from(File { id, width, format }.to_string());
            self.files.put(&name, bytes.into()).await.map_err(|e| away(e.to_string()))?;
        }
        Ok(kept)
    }
}

/// A picture in all the files that it is kept in.
struct Made {
    kept: Kept,
    files: Vec<(u32, Format, Vec<u8>)>,
}

fn make(bytes: &[u8]) -> Result<Made, FieldCode> {
    let picture = decode(bytes)?;
    let kept = Kept { width: picture.width(), height: picture.height(), color: String::new() };
    let mut files = Vec::new();
    let mut color = String::new();
    // From the widest to the narrowest, each made of the one before it.
    let mut widths: Vec<_> = widths(picture.width()).collect();
    widths.reverse();
    let mut last = picture;
    for (name, width) in widths {
        last = narrowed(last, width);
        let rgba = last.to_rgba8();
        let rgb = on_white(&rgba);
        files.push((name, Format::Webp, webp(&rgba, &rgb)?));
        files.push((name, Format::Jpeg, jpeg(&rgb)?));
        color = dominant(&rgb);
    }
    Ok(Made { kept: Kept { color, ..kept }, files })
}

/// The picture, upright. Its size is read and bounded before anything is allocated for it.
fn decode(bytes: &[u8]) -> Result<DynamicImage, FieldCode> {
    check_bytes(bytes.len())?;
    let format = match Source::sniff(bytes).ok_or(FieldCode::NotAPicture)? {
        Source::Jpeg if !ends(bytes) => return Err(FieldCode::PictureBroken),
        Source::Jpeg => ImageFormat::Jpeg,
        Source::Png => ImageFormat::Png,
        Source::Webp => ImageFormat::WebP,
    };
    let broken = |error| match error {
        ImageError::Limits(_) => FieldCode::PictureTooLarge,
        _ => FieldCode::PictureBroken,
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODED_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    if decoder.total_bytes() > DECODED_MAX {
        return Err(FieldCode::PictureTooLarge);
    }
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    Ok(if picture.color().has_alpha() { clear_as_white(picture.into_rgba8()) } else { picture })
}

/// The picture with white where nothing is to be seen: narrowing mixes neighbours, and what is cut out is mostly cut out
/// of black.
fn clear_as_white(mut picture: RgbaImage) -> DynamicImage {
    for pixel in picture.pixels_mut().filter(|p| p.0[3] == 0) {
        pixel.0 = [255, 255, 255, 0];
    }
    DynamicImage::ImageRgba8(picture)
}

/// Whether a JPEG is there to its end. Decoders paint what is missing grey, and say nothing.
fn ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // To the next marker: scans hold FF 00 for a plain FF, and restart marks that are part of them.
        while !matches!(bytes.get(at..at + 2), Some([0xFF, marker]) if !matches!(marker, 0 | 0xFF | 0xD0..=0xD7))
        {
            if at + 2 > bytes.len() {
                return false;
            }
            at += 1;
        }
        match bytes[at + 1] {
            0xD9 => return true,
            _ => match bytes.get(at + 2..at + 4) {
                Some(&[high, low]) => at += 2 + usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
        }
    }
}

/// The picture in this width. Halves and less are the mean of their pixels, which is quick; in between it takes a filter.
fn narrowed(picture: DynamicImage, width: u32) -> DynamicImage {
    let height = (u64::from(picture.height()) * u64::from(width)).div_ceil(u64::from(picture.width()));
    let height = u32::try_from(height).unwrap_or(1);
    if picture.width() <= width {
        picture
    } else if picture.width() >= 2 * width {
        picture.thumbnail_exact(width, height)
    } else {
        picture.resize_exact(width, height, FilterType::CatmullRom)
    }
}

/// What is transparent, on white.
fn on_white(picture: &RgbaImage) -> RgbImage {
    let mut flat = RgbImage::new(picture.width(), picture.height());
    for (to, from) in flat.pixels_mut().zip(picture.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u32::from);
        to.0 = [red, green, blue].map(|c| ((c * alpha + 255 * (255 - alpha) + 127) / 255) as u8);
    }
    flat
}

fn webp(rgba: &RgbaImage, rgb: &RgbImage) -> Result<Vec<u8>, FieldCode> {
    let (width, height) = rgb.dimensions();
    let opaque = rgba.pixels().all(|p| p.0[3] == 255);
    let encoder = if opaque {
        webp::Encoder::from_rgb(rgb, width, height)
    } else {
        webp::Encoder::from_rgba(rgba, width, height)
    };
    let encoded = encoder.encode_simple(false, WEBP_QUALITY).map_err(|_| FieldCode::PictureBroken)?;
    Ok(encoded.to_vec())
}

fn jpeg(rgb: &RgbImage) -> Result<Vec<u8>, FieldCode> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    rgb.write_with_encoder(encoder).map_err(|_| FieldCode::PictureBroken)?;
    Ok(bytes)
}

/// The colour that there is most of: the mean of the fullest of 512 boxes.
fn dominant(picture: &RgbImage) -> String {
    let mut boxes = vec![[0u64; 4]; 512];
    for pixel in picture.pixels() {
        let [red, green, blue] = pixel.0;
        let of = usize::from(red >> 5) << 6 | usize::from(green >> 5) << 3 | usize::from(blue >> 5);
        for (sum, value) in boxes[of].iter_mut().zip([1, u64::from(red), u64::from(green), u64::from(blue)]) {
            *sum += value;
        }
    }
    let [count, red, green, blue] = boxes.into_iter().max_by_key(|b| b[0]).unwrap_or_default();
    let mean = |sum: u64| sum / count.max(1);
    format!("#{:02x}{:02x}{:02x}", mean(red), mean(green), mean(blue))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use image::{ExtendedColorType, ImageEncoder, Rgba, codecs::png::PngEncoder};
    use proptest::prelude::*;

    /// Red on the left, blue on the right.
    fn halves(width: u32, height: u32) -> RgbaImage {
        RgbaImage::from_fn(width, height, |x, _| {
            if x < width / 2 { Rgba([220, 30, 30, 255]) } else { Rgba([30, 30, 220, 255]) }
        })
    }

    fn as_jpeg(picture: &RgbaImage) -> Vec<u8> {
        jpeg(&on_white(picture)).unwrap()
    }

    fn as_png(picture: &RgbaImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (width, height) = picture.dimensions();
        PngEncoder::new(&mut bytes).write_image(picture, width, height, ExtendedColorType::Rgba8).unwrap();
        bytes
    }

    /// The JPEG with this segment of Exif before all others.
    fn with_exif(jpeg: &[u8], exif: &[u8]) -> Vec<u8> {
        let length = u16::try_from(exif.len() + 8).unwrap().to_be_bytes();
        [&[0xFF, 0xD8, 0xFF, 0xE1], &length[..], b"Exif\0\0", exif, &jpeg[2..]].concat()
    }

    /// A TIFF header with one entry: the orientation.
    fn orientation(value: u8) -> Vec<u8> {
        [&b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[value, 0, 0, 0], &[0; 4]].concat()
    }

    /// A PNG that says it is so big, and ends there.
    fn png_header(width: u32, height: u32) -> Vec<u8> {
        let chunk = [b"IHDR", &width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
        let sum = crc(&chunk).to_be_bytes();
        [b"\x89PNG\r\n\x1A\n\0\0\0\x0D", &chunk[..], &sum, b"\0\0\0\x04IDAT\0\0\0\0"].concat()
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |sum: u32, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |s, _| if s & 1 == 1 { s >> 1 ^ 0xEDB8_8320 } else { s >> 1 })
        })
    }

    fn decoded(files: &[(u32, Format, Vec<u8>)], width: u32, format: Format) -> DynamicImage {
        let (_, _, bytes) = files.iter().find(|(w, f, _)| (*w, *f) == (width, format)).unwrap();
        image::load_from_memory(bytes).unwrap()
    }

    #[test]
    fn hostile_files_are_refused_and_say_why() {
        use FieldCode::*;
        let good = as_jpeg(&halves(64, 48));
        let png = as_png(&halves(64, 48));
        let webp = webp(&halves(64, 48), &on_white(&halves(64, 48))).unwrap();
        let cases: [(&str, Vec<u8>, FieldCode); 15] = [
            ("nothing", Vec::new(), Missing),
            ("words", b"hello".to_vec(), NotAPicture),
            (
                "a GIF",
                b"GIF89a\x01\0\x01\0\x80\0\0\xFF\xFF\xFF\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
                    .to_vec(),
                NotAPicture,
            ),
            (
                "an SVG",
                b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec(),
                NotAPicture,
            ),
            ("an SVG with a declaration", b"<?xml version=\"1.0\"?><svg/>".to_vec(), NotAPicture),
            ("a program named .jpg", b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(), NotAPicture),
            ("a page", b"<!DOCTYPE html><script>alert(1)</script>".to_vec(), NotAPicture),
            ("a JPEG of three bytes", good[..3].to_vec(), PictureBroken),
            ("half a JPEG", good[..good.len() / 2].to_vec(), PictureBroken),
            ("a JPEG without its end", good[..good.len() - 2].to_vec(), PictureBroken),
            ("half a PNG", png[..png.len() / 2].to_vec(), PictureBroken),
            ("half a WebP", webp[..webp.len() / 2].to_vec(), PictureBroken),
            ("a PNG of 2.5 gigapixels", png_header(50_000, 50_000), PictureTooLarge),
            ("a PNG as wide as can be said", png_header(i32::MAX as u32, 1), PictureTooLarge),
            (
                "more than 12 MB",
                [&good[..], &vec![0; haat_shared::media::BYTES_MAX]].concat(),
                PictureTooHeavy,
            ),
        ];
        for (what, bytes, code) in cases {
            assert_eq!(make(&bytes).map(|made| made.kept), Err(code), "{what}");
        }
    }

    #[test]
    fn what_comes_along_stays_behind() {
        let plain = as_jpeg(&halves(400, 300));
        let secret = b"<?php system($_GET['c']); ?> 26.9124 N 75.7873 E".repeat(1_000);
        let huge_exif = with_exif(&plain, &[orientation(1), secret.clone()].concat());
        let polyglot = [&plain[..], b"PK\x03\x04", &secret].concat();
        for (what, bytes) in [("a huge Exif", huge_exif), ("a polyglot", polyglot)] {
            let made = make(&bytes).unwrap();
            for (width, format, file) in &made.files {
                let holds = |needle: &[u8]| file.windows(needle.len()).any(|w| w == needle);
                assert!(
                    !holds(b"php") && !holds(b"Exif") && !holds(b"PK\x03\x04"),
                    "{what} {width} {format:?}"
                );
            }
        }
    }

    #[test]
    fn pictures_are_turned_upright() {
        let lying = as_jpeg(&halves(400, 200));
        let red_first = |picture: &DynamicImage, x: u32, y: u32| {
            let [red, _, blue] = picture.to_rgb8().get_pixel(x, y).0;
            red > blue
        };
        for (value, (width, height), (x, y)) in [
            (1, (400, 200), (10, 100)),
            (2, (400, 200), (390, 100)),
            (3, (400, 200), (390, 100)),
            (6, (200, 400), (100, 10)),
            (8, (200, 400), (100, 390)),
        ] {
            let made = make(&with_exif(&lying, &orientation(value))).unwrap();
            assert_eq!((made.kept.width, made.kept.height), (width, height), "{value}");
            let picture = decoded(&made.files, if width == 400 { 640 } else { 320 }, Format::Jpeg);
            assert_eq!((picture.width(), picture.height()), (width, height), "{value}");
            assert!(red_first(&picture, x, y), "{value}");
            assert!(!red_first(&picture, width - 1 - x, height - 1 - y), "{value}");
        }
    }

    #[test]
    fn what_is_transparent_stays_so_where_it_can() {
        let clear = RgbaImage::from_fn(400, 400, |x, _| Rgba([0, 0, 0, if x < 300 { 0 } else { 255 }]));
        let made = make(&as_png(&clear)).unwrap();
        assert!(made.kept.color.starts_with("#f"), "{}", made.kept.color);
        let webp = decoded(&made.files, 640, Format::Webp).to_rgba8();
        assert_eq!((webp.get_pixel(10, 10).0[3], webp.get_pixel(390, 10).0[3]), (0, 255));
        let small = decoded(&made.files, 320, Format::Jpeg).to_rgb8();
        assert!(
            small.get_pixel(235, 10).0.iter().all(|c| *c > 200),
            "no dark rim: {:?}",
            small.get_pixel(235, 10)
        );
        let jpeg = decoded(&made.files, 640, Format::Jpeg).to_rgb8();
        assert!(jpeg.get_pixel(10, 10).0.iter().all(|c| *c > 250), "{:?}", jpeg.get_pixel(10, 10));
    }

    #[test]
    fn widths_formats_and_colours_are_the_promised_ones() {
        for (width, height) in [(2_000, 1_000), (500, 700), (3_000, 20), (1, 1), (20, 9_000), (1_281, 1)] {
            let made = make(&as_png(&halves(width, height))).unwrap();
            assert_eq!((made.kept.width, made.kept.height), (width, height));
            let expected: Vec<_> = widths(width).collect();
            assert_eq!(made.files.len(), 2 * expected.len());
            for (name, actual) in expected {
                for format in Format::ALL {
                    let picture = decoded(&made.files, name, format);
                    assert_eq!(picture.width(), actual, "{width} × {height} at {name}");
                    assert!(picture.height() >= 1);
                }
            }
        }
        let blue = RgbaImage::from_pixel(40, 40, Rgba([20, 40, 200, 255]));
        assert_eq!(make(&as_png(&blue)).unwrap().kept.color, "#1428c8");
    }

    #[tokio::test]
    async fn files_are_kept_by_the_same_names_every_time() {
        let folder = std::env::temp_dir().join(format!("haat-pictures-{}", std::process::id()));
        let pictures = Pictures::in_folder(&folder).unwrap();
        let id: MediaId = "media_00000000000000000000000001".parse().unwrap();
        let bytes = as_png(&halves(700, 700));
        let names = || {
            let mut names: Vec<_> = fs::read_dir(&folder)
                .unwrap()
                .map(|f| f.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        let first = pictures.keep(id, bytes.clone()).await.unwrap();
        let made = names();
        let expected = ["1280.jpg", "1280.webp", "320.jpg", "320.webp", "640.jpg", "640.webp"];
        assert_eq!(made, expected.map(|end| format!("{id}-{end}")));
        assert_eq!(pictures.keep(id, bytes).await.unwrap(), first);
        assert_eq!(names(), made);

        let file = File { id, width: 640, format: Format::Webp };
        let found = pictures.read(file, None).await.unwrap().unwrap();
        assert_eq!(image::guess_format(&found.bytes).unwrap(), ImageFormat::WebP);
        assert_eq!(pictures.read(file, Some(found.tag)).await.unwrap(), None);
        let other = File { id: "media_00000000000000000000000002".parse().unwrap(), ..file };
        assert_eq!(pictures.read(other, None).await, Err(haat_shared::Error::NotFound));
        let broken = pictures.keep(id, b"GIF89a".to_vec()).await;
        assert_eq!(broken, Err(PictureError::Refused(FieldCode::NotAPicture)));
        fs::remove_dir_all(&folder).unwrap();
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(kind in 0usize..4, at in 0usize..600, change: u8, cut in 0usize..600) {
            let picture = halves(24, 16);
            let mut bytes = match kind {
                0 => as_jpeg(&picture),
                1 => as_png(&picture),
                2 => webp(&picture, &on_white(&picture)).unwrap(),
                _ => with_exif(&as_jpeg(&picture), &orientation(change)),
            };
            let (at, end) = (at % bytes.len(), bytes.len() - cut % bytes.len());
            bytes[at] = change;
            let _ = make(&bytes[..end]);
        }
    }
}

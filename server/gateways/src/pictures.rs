//! Pictures: uploads are checked, decoded, converted to sRGB, rotated upright and re-encoded in the widths
//! and formats of `haat_shared::media`. Metadata and trailing bytes are dropped.

use std::{
    fs,
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use haat_engine::media::{Kept, PictureError, PictureStore};
use haat_shared::{
    FieldCode,
    id::kinds::MediaId,
    media::{File, Format, PIXELS_MAX, Source, Upload, check_bytes, check_size, refusal, widths},
};
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    RgbImage, RgbaImage, codecs::jpeg::JpegEncoder, imageops::FilterType, metadata::Orientation,
};
use moxcms::{CicpProfile, ColorProfile, DataColorSpace, Layout, TransformOptions};
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path as Name};
use png::{DecodingError, Transformations};
use tokio::{
    sync::{Semaphore, oneshot},
    time::{Instant, timeout_at},
};

/// The quality of JPEGs, out of 100.
const JPEG_QUALITY: u8 = 82;
/// The quality of WebPs, out of 100.
const WEBP_QUALITY: f32 = 80.0;
/// The maximum memory of a decoded picture: all allowed pixels in RGBA at 8 bits. Pictures with 16 bits
/// are reduced to 8 line by line while they are read.
const DECODED_MAX: u64 = 4 * PIXELS_MAX;
/// The maximum uncompressed size of a picture's metadata, mostly its colour profile.
const ALONG_MAX: usize = 16 * 1024 * 1024;
/// From this weight on, a picture's memory is worth returning at once.
const LARGE: u32 = 40;
/// Freed memory is returned to the system when a thread ends, if it was free for a second (mimalloc's
/// `purge_delay`).
const GIVEN_BACK: Duration = Duration::from_millis(1_200);
/// The number of pixels per unit of weight, when pictures wait for each other.
const PIXELS_COUNTED: u64 = 100_000;

/// Pictures in a folder.
pub struct PictureFolder {
    files: Arc<dyn ObjectStore>,
    /// Decoding takes a core, so the number of concurrent decodes is limited.
    turns: Arc<Semaphore>,
    /// Decoding takes memory: pictures decoded at once have at most as many pixels in total as one may
    /// have.
    pixels: Arc<Semaphore>,
    /// The maximum time that a picture waits for both.
    wait: Duration,
}

/// A picture file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPicture {
    /// Its contents.
    pub bytes: Bytes,
    /// Its version, for conditional requests.
    pub tag: String,
}

impl PictureFolder {
    /// The pictures in this folder, which is created if necessary. A new picture waits for others at most
    /// this long.
    pub fn in_folder(folder: &Path, wait: Duration) -> Result<Self, String> {
        let fault = |why: String| format!("{}: {why}", folder.display());
        fs::create_dir_all(folder).map_err(|e| fault(e.to_string()))?;
        let files = LocalFileSystem::new_with_prefix(folder).map_err(|e| fault(e.to_string()))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let turns = Arc::new(Semaphore::new(cores.min(4)));
        let pixels = Arc::new(Semaphore::new(permits(PIXELS_MAX) as usize));
        Ok(Self { files: Arc::new(files), turns, pixels, wait })
    }

    /// A file; `Ok(None)` if it matches `if_none_match`, the request header of that name.
    pub async fn read(
        &self,
        file: File,
        if_none_match: Option<String>,
    ) -> Result<Option<StoredPicture>, haat_shared::Error> {
        let options = GetOptions { if_none_match, ..GetOptions::default() };
        let read = async {
            let found = self.files.get_opts(&Name::from(file.to_string()), options).await?;
            let tag = found.meta.e_tag.clone().unwrap_or_default();
            Ok(StoredPicture { bytes: found.bytes().await?, tag })
        };
        match read.await {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotModified { .. }) => Ok(None),
            Err(object_store::Error::NotFound { .. }) => Err(haat_shared::Error::NotFound),
            Err(error) => {
                tracing::error!(%file, %error, "an image could not be read");
                Err(haat_shared::Error::Busy { retry_after_s: 5 })
            }
        }
    }
}

impl PictureFolder {
    /// Decodes a picture by `make`, once neither cores nor memory are taken by others.
    async fn made(&self, bytes: Vec<u8>, allowed: Upload, make: Make) -> Result<Made, PictureError> {
        let away = |e: String| PictureError::Away(e);
        let deadline = Instant::now() + self.wait;
        let turn = timeout_at(deadline, self.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| PictureError::Busy)?.map_err(|e| away(e.to_string()))?;
        let (pixels, runtime) = (self.pixels.clone(), tokio::runtime::Handle::current());
        let (answer, answered) = oneshot::channel();
        // In a separate thread, which continues if the caller is dropped.
        let run = move || {
            let mut counts = 0;
            let made = size(&bytes).map_err(PictureError::Refused).and_then(|(width, height)| {
                allowed.check_side(width, height).map_err(PictureError::Refused)?;
                counts = permits(u64::from(width) * u64::from(height));
                let acquired =
                    runtime.block_on(async { timeout_at(deadline, pixels.acquire_many(counts)).await });
                let _pixels = acquired.map_err(|_| PictureError::Busy)?;
                make(&bytes).map_err(PictureError::Refused)
            });
            drop((turn, bytes));
            let _ = answer.send(made);
            if counts > LARGE {
                std::thread::sleep(GIVEN_BACK);
            }
        };
        std::thread::Builder::new()
            .name("haat-picture".into())
            .spawn(run)
            .map_err(|e| away(e.to_string()))?;
        answered.await.map_err(|_| away("decoding was aborted".into()))?
    }
}

#[async_trait]
impl PictureStore for PictureFolder {
    async fn keep(&self, id: MediaId, bytes: Vec<u8>, allowed: Upload) -> Result<Kept, PictureError> {
        let Made { kept, files } = self.made(bytes, allowed, make).await?;
        for (width, format, bytes) in files {
            // Written under a temporary name and then renamed, so that nobody reads a partial file.
            let name = Name::from(File { id, width, format }.to_string());
            self.files.put(&name, bytes.into()).await.map_err(|e| PictureError::Away(e.to_string()))?;
        }
        Ok(kept)
    }

    async fn remove(&self, id: MediaId) -> Result<(), String> {
        for file in File::all(id) {
            match self.files.delete(&Name::from(file.to_string())).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }
}

/// A picture in all stored formats and widths.
struct Made {
    kept: Kept,
    files: Vec<(u32, Format, Vec<u8>)>,
}

/// How a picture is made of the bytes of an upload.
type Make = fn(&[u8]) -> Result<Made, FieldCode>;

/// The weight of a picture with this many pixels.
fn permits(pixels: u64) -> u32 {
    u32::try_from(pixels.div_ceil(PIXELS_COUNTED)).unwrap_or(u32::MAX)
}

fn make(bytes: &[u8]) -> Result<Made, FieldCode> {
    let Decoded { picture, orientation, profile } = decode(bytes)?;
    let lies = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let turned = |(width, height)| if lies { (height, width) } else { (width, height) };
    let (width, height) = turned((picture.width(), picture.height()));
    let kept = Kept { width, height, color: String::new() };
    let mut files = Vec::new();
    let mut color = String::new();
    // From the widest to the narrowest, each scaled from the one before.
    let mut widths: Vec<_> = widths(width).collect();
    widths.reverse();
    let widest = widths.first().map_or(width, |(_, widest)| *widest);
    // Scaled down first, so that rotation and colour conversion work on a small image.
    let picture = narrowed(picture, turned((widest, in_proportion(widest, (width, height)))));
    let mut last = match profile {
        Some(profile) => in_srgb(picture, &profile),
        None => picture,
    };
    last.apply_orientation(orientation);
    for (name, width) in widths {
        let height = in_proportion(width, (last.width(), last.height()));
        last = narrowed(last, (width, height));
        let rgba = last.to_rgba8();
        let rgb = on_white(&rgba);
        files.push((name, Format::Webp, webp(&rgba, &rgb)?));
        files.push((name, Format::Jpeg, jpeg(&rgb)?));
        color = dominant(&rgb);
    }
    Ok(Made { kept: Kept { color, ..kept }, files })
}

/// The format of a file, if it is accepted and complete.
fn kind(bytes: &[u8]) -> Result<Source, FieldCode> {
    check_bytes(bytes.len())?;
    match Source::sniff(bytes).ok_or_else(|| refusal(bytes))? {
        Source::Jpeg if !ends(bytes) => Err(FieldCode::PictureBroken),
        kind => Ok(kind),
    }
}

/// The dimensions from the file's header, if they are allowed. Nothing is decoded.
fn size(bytes: &[u8]) -> Result<(u32, u32), FieldCode> {
    let (width, height) = match kind(bytes)? {
        Source::Png => {
            let mut decoder = png_decoder(bytes);
            let head = decoder.read_header_info().map_err(|error| png_broken(&error))?;
            (head.width, head.height)
        }
        Source::Jpeg => decoder(bytes, ImageFormat::Jpeg)?.dimensions(),
        Source::Webp => decoder(bytes, ImageFormat::WebP)?.dimensions(),
    };
    check_size(width, height)?;
    Ok((width, height))
}

/// A decoded picture: 8 bits per channel, and how to interpret it.
struct Decoded {
    picture: DynamicImage,
    orientation: Orientation,
    /// The colour profile; `None` for sRGB.
    profile: Option<ColorProfile>,
}

/// The dimensions are read and checked before anything is allocated.
fn decode(bytes: &[u8]) -> Result<Decoded, FieldCode> {
    size(bytes)?;
    let mut decoded = match kind(bytes)? {
        Source::Png => decode_png(bytes)?,
        Source::Jpeg => decode_by_image(bytes, ImageFormat::Jpeg)?,
        Source::Webp => decode_by_image(bytes, ImageFormat::WebP)?,
    };
    clear_as_white(&mut decoded.picture);
    Ok(decoded)
}

fn decoder(bytes: &[u8], format: ImageFormat) -> Result<impl ImageDecoder, FieldCode> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODED_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|error| broken(&error))?;
    match decoder.total_bytes() {
        ..=DECODED_MAX => Ok(decoder),
        _ => Err(FieldCode::PictureTooLarge),
    }
}

fn broken(error: &ImageError) -> FieldCode {
    match error {
        ImageError::Limits(_) => FieldCode::PictureTooLarge,
        _ => FieldCode::PictureBroken,
    }
}

fn decode_by_image(bytes: &[u8], format: ImageFormat) -> Result<Decoded, FieldCode> {
    let mut decoder = decoder(bytes, format)?;
    // An unreadable profile is treated as missing.
    let profile = decoder.icc_profile().ok().flatten().and_then(|icc| profile(&icc));
    let orientation = decoder.orientation().map_err(|error| broken(&error))?;
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| broken(&error))?;
    Ok(Decoded { picture, orientation, profile })
}

fn png_decoder(bytes: &[u8]) -> png::Decoder<Cursor<&[u8]>> {
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: ALONG_MAX });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder
}

fn png_broken(error: &DecodingError) -> FieldCode {
    match error {
        DecodingError::LimitsExceeded => FieldCode::PictureTooLarge,
        _ => FieldCode::PictureBroken,
    }
}

/// The first frame of an animation.
fn decode_png(bytes: &[u8]) -> Result<Decoded, FieldCode> {
    let mut reader = png_decoder(bytes).read_info().map_err(|error| png_broken(&error))?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    let orientation = info.exif_metadata.as_deref().and_then(Orientation::from_exif_chunk);
    let by_numbers = info.coding_independent_code_points.and_then(|code| {
        Some(CicpProfile {
            color_primaries: code.color_primaries.try_into().ok()?,
            transfer_characteristics: code.transfer_function.try_into().ok()?,
            matrix_coefficients: code.matrix_coefficients.try_into().ok()?,
            full_range: code.is_video_full_range_image,
        })
    });
    let profile = match by_numbers {
        Some(numbers) => Some(ColorProfile::new_from_cicp(numbers)),
        None => info.icc_profile.as_deref().and_then(profile),
    };
    let mut pixels = vec![0; reader.output_buffer_size().ok_or(FieldCode::PictureTooLarge)?];
    reader.next_frame(&mut pixels).map_err(|error| png_broken(&error))?;
    let picture = match reader.output_color_type().0 {
        png::ColorType::Grayscale => GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
        png::ColorType::GrayscaleAlpha => {
            GrayAlphaImage::from_raw(width, height, pixels).map(DynamicImage::ImageLumaA8)
        }
        png::ColorType::Rgb => RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
        png::ColorType::Rgba => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8),
        // The decoder expands palettes.
        png::ColorType::Indexed => None,
    };
    let picture = picture.ok_or(FieldCode::PictureBroken)?;
    Ok(Decoded { picture, orientation: orientation.unwrap_or(Orientation::NoTransforms), profile })
}

fn profile(icc: &[u8]) -> Option<ColorProfile> {
    catch_unwind(|| ColorProfile::new_from_slice(icc).ok()).ok().flatten()
}

/// The picture converted to sRGB; unchanged if its profile does not apply.
fn in_srgb(picture: DynamicImage, profile: &ColorProfile) -> DynamicImage {
    let alpha = picture.color().has_alpha();
    let gray = profile.color_space == DataColorSpace::Gray;
    let (layout, pixels) = match (&picture, gray, alpha) {
        (DynamicImage::ImageLuma8(gray), true, _) => (Layout::Gray, gray.as_raw().clone()),
        (DynamicImage::ImageLumaA8(gray), true, _) => (Layout::GrayAlpha, gray.as_raw().clone()),
        (_, true, _) => return picture,
        (_, false, true) => (Layout::Rgba, picture.to_rgba8().into_raw()),
        (_, false, false) => (Layout::Rgb, picture.to_rgb8().into_raw()),
    };
    let to = if alpha { Layout::Rgba } else { Layout::Rgb };
    let size = picture.width() as usize * picture.height() as usize;
    let mut converted = vec![0; size * if alpha { 4 } else { 3 }];
    let convert = AssertUnwindSafe(|| {
        let srgb = ColorProfile::new_srgb();
        let transform = profile.create_transform_8bit(layout, &srgb, to, TransformOptions::default()).ok()?;
        transform.transform(&pixels, &mut converted).ok()
    });
    if catch_unwind(convert).ok().flatten().is_none() {
        return picture;
    }
    let (width, height) = (picture.width(), picture.height());
    let in_srgb = match alpha {
        true => RgbaImage::from_raw(width, height, converted).map(DynamicImage::ImageRgba8),
        false => RgbImage::from_raw(width, height, converted).map(DynamicImage::ImageRgb8),
    };
    in_srgb.unwrap_or(picture)
}

/// Transparent pixels become white, because scaling down mixes neighbours, and cut-outs mostly have black
/// behind them.
fn clear_as_white(picture: &mut DynamicImage) {
    match picture {
        DynamicImage::ImageRgba8(picture) => {
            picture.pixels_mut().filter(|p| p.0[3] == 0).for_each(|p| p.0 = [255, 255, 255, 0]);
        }
        DynamicImage::ImageLumaA8(picture) => {
            picture.pixels_mut().filter(|p| p.0[1] == 0).for_each(|p| p.0 = [255, 0]);
        }
        _ => {}
    }
}

/// Whether a JPEG is complete. Decoders silently fill missing parts with grey.
fn ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // Skip to the next marker: scan data contains FF 00 as an escaped FF, and restart markers.
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

/// The height of a picture at this width.
fn in_proportion(width: u32, of: (u32, u32)) -> u32 {
    let height = (u64::from(of.1) * u64::from(width)).div_ceil(u64::from(of.0));
    u32::try_from(height).unwrap_or(1)
}

/// The picture scaled to this size, with the same proportions. Reductions to a half or less average the
/// pixels, which is fast; others use a filter.
fn narrowed(picture: DynamicImage, (width, height): (u32, u32)) -> DynamicImage {
    if picture.width() <= width && picture.height() <= height {
        picture
    } else if picture.width().max(picture.height()) >= 2 * width.max(height) {
        picture.thumbnail_exact(width, height)
    } else {
        picture.resize_exact(width, height, FilterType::CatmullRom)
    }
}

/// Transparent pixels on white.
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

/// The dominant colour: the mean of the fullest of 512 boxes.
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
    use std::io;

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

    /// A PNG that declares these dimensions, and ends after that.
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
                PictureTooHeavy(haat_shared::media::BYTES_MAX),
            ),
        ];
        for (what, bytes, code) in cases {
            assert_eq!(make(&bytes).map(|made| made.kept), Err(code), "{what}");
        }
    }

    /// A PNG of 16 bits per channel in one colour, compressed as far as possible.
    fn deep_png(side: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side, side);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Sixteen);
        let mut writer = encoder.write_header().unwrap();
        let mut stream = writer.stream_writer().unwrap();
        let row = [0x80, 0x12, 0x20, 0x34, 0xC0, 0x56, 0xFF, 0xFF].repeat(side as usize);
        (0..side).for_each(|_| io::Write::write_all(&mut stream, &row).unwrap());
        stream.finish().unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn deep_pictures_take_no_more_than_others() {
        let bytes = deep_png(1_500);
        let Decoded { picture, .. } = decode(&bytes).unwrap();
        assert_eq!(picture.as_bytes().len(), 4 * 1_500 * 1_500, "8 bits a channel");
        assert_eq!(picture.to_rgba8().get_pixel(7, 7).0, [0x80, 0x20, 0xC0, 0xFF]);
        assert!(bytes.len() < 100_000, "{}", bytes.len());
        // The largest images are decoded one at a time; small ones in parallel.
        assert_eq!(permits(PIXELS_MAX), 400);
        assert_eq!(size(&deep_png(100)).map(|(w, h)| permits(u64::from(w) * u64::from(h))), Ok(1));
    }

    /// Whatever fits the store.
    const ANY: Upload = haat_shared::media::Purpose::ProductPicture.upload();

    /// Longer than any test takes.
    const LONG: Duration = Duration::from_secs(600);

    #[tokio::test(flavor = "multi_thread")]
    async fn large_pictures_at_once_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let pictures = PictureFolder::in_folder(folder.path(), LONG).unwrap();
        let bytes = deep_png(2_500);
        let keep = (0..6).map(|n| {
            let id: MediaId = format!("media_{n:026}").parse().unwrap();
            pictures.keep(id, bytes.clone(), ANY)
        });
        let kept = futures::future::join_all(keep).await;
        assert!(kept.iter().all(|kept| kept.as_ref().is_ok_and(|k| k.width == 2_500)), "{kept:?}");
        assert_eq!(pictures.pixels.available_permits(), 400, "all is given back");
    }

    /// Nothing is decoded here, so that neither the memory nor the cores of this machine matter.
    #[tokio::test(flavor = "multi_thread")]
    async fn pictures_decoded_at_once_have_at_most_the_pixels_of_one() {
        use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

        static AT_ONCE: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let counted: Make = |_| {
            MOST.fetch_max(AT_ONCE.fetch_add(1, SeqCst) + 1, SeqCst);
            std::thread::sleep(Duration::from_millis(50));
            AT_ONCE.fetch_sub(1, SeqCst);
            Ok(Made { kept: Kept { width: 1, height: 1, color: String::new() }, files: Vec::new() })
        };
        let folder = tempfile::tempdir().unwrap();
        for (side, turns, most) in [(6_300, 8, 1), (4_400, 8, 2), (100, 3, 3)] {
            let mut pictures = PictureFolder::in_folder(folder.path(), LONG).unwrap();
            pictures.turns = Arc::new(Semaphore::new(turns));
            MOST.store(0, SeqCst);
            let sent = (0..8).map(|_| pictures.made(png_header(side, side), ANY, counted));
            let made = futures::future::join_all(sent).await;
            assert!(made.iter().all(Result::is_ok), "{side}");
            let seen = MOST.load(SeqCst);
            assert!(seen <= most, "{seen} of {side} pixels a side at once");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_waits_too_long_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let pictures = PictureFolder::in_folder(folder.path(), Duration::from_millis(20)).unwrap();
        let id: MediaId = format!("media_{:026}", 1).parse().unwrap();
        let bytes = deep_png(100);
        let others = pictures.pixels.clone().acquire_many_owned(400).await.unwrap();
        assert_eq!(pictures.keep(id, bytes.clone(), ANY).await, Err(PictureError::Busy));
        drop(others);
        let all = pictures.turns.available_permits() as u32;
        let others = pictures.turns.clone().acquire_many_owned(all).await.unwrap();
        assert_eq!(pictures.keep(id, bytes.clone(), ANY).await, Err(PictureError::Busy));
        drop(others);
        assert!(pictures.keep(id, bytes, ANY).await.is_ok());
    }

    /// The mean of the middle of each third of a picture.
    fn thirds(picture: &RgbImage) -> [[u8; 3]; 3] {
        let (width, height) = picture.dimensions();
        [1, 3, 5].map(|sixth| picture.get_pixel(sixth * width / 6, height / 2).0)
    }

    fn near(found: [[u8; 3]; 3], expected: [[u8; 3]; 3], what: &str) {
        let apart = found.as_flattened().iter().zip(expected.as_flattened()).map(|(a, b)| a.abs_diff(*b));
        assert!(apart.max() <= Some(10), "{what}: {found:?}, not {expected:?}");
    }

    const IN_SRGB: [[u8; 3]; 3] = [[255, 0, 0], [0, 160, 0], [128, 128, 128]];

    /// The JPEG with this profile.
    fn with_profile(jpeg: &[u8], icc: &[u8]) -> Vec<u8> {
        let length = u16::try_from(icc.len() + 16).unwrap().to_be_bytes();
        [&[0xFF, 0xD8, 0xFF, 0xE2], &length[..], b"ICC_PROFILE\0\x01\x01", icc, &jpeg[2..]].concat()
    }

    fn png_with_profile(picture: &RgbaImage, icc: Option<&[u8]>, numbers: Option<[u8; 4]>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut info = png::Info::with_size(picture.width(), picture.height());
        (info.color_type, info.bit_depth) = (png::ColorType::Rgba, png::BitDepth::Eight);
        info.icc_profile = icc.map(|icc| icc.to_vec().into());
        let mut writer = png::Encoder::with_info(&mut bytes, info).unwrap().write_header().unwrap();
        writer.write_image_data(picture.as_raw()).unwrap();
        writer.finish().unwrap();
        if let Some(numbers) = numbers {
            let chunk = [&b"cICP"[..], &numbers].concat();
            // After the IHDR chunk.
            bytes.splice(33..33, [&[0, 0, 0, 4], &chunk[..], &crc(&chunk).to_be_bytes()].concat());
        }
        bytes
    }

    /// Red, green and grey of sRGB, in the numbers of another space.
    fn in_space(profile: &ColorProfile) -> RgbaImage {
        let options = TransformOptions::default();
        let srgb = ColorProfile::new_srgb();
        let transform = srgb.create_transform_8bit(Layout::Rgb, profile, Layout::Rgb, options).unwrap();
        let mut there = [0; 9];
        transform.transform(IN_SRGB.as_flattened(), &mut there).unwrap();
        RgbaImage::from_fn(300, 100, |x, _| {
            let at = (x / 100 * 3) as usize;
            Rgba([there[at], there[at + 1], there[at + 2], 255])
        })
    }

    #[test]
    fn colours_are_those_that_were_seen() {
        let phone = include_bytes!("../fixtures/display-p3.jpg");
        let made = make(phone).unwrap();
        for format in Format::ALL {
            let name = made.files.iter().map(|(width, ..)| *width).max().unwrap();
            near(thirds(&decoded(&made.files, name, format).to_rgb8()), IN_SRGB, "a phone's");
        }
        let spaces = [
            ("Display P3", ColorProfile::new_display_p3()),
            ("Adobe RGB", ColorProfile::new_adobe_rgb()),
            ("BT.2020", ColorProfile::new_bt2020()),
            ("sRGB", ColorProfile::new_srgb()),
        ];
        for (what, space) in spaces {
            let (picture, icc) = (in_space(&space), space.encode().unwrap());
            let (rgba, rgb) = (&picture, on_white(&picture));
            let plain = webp(rgba, &rgb).unwrap();
            let parts: [&[u8]; 3] = [b"ICCP", &u32::try_from(icc.len()).unwrap().to_le_bytes(), &icc];
            let mut chunks =
                [b"VP8X\x0A\0\0\0\x20\0\0\0\x2B\x01\0\x63\0\0".to_vec(), parts.concat()].concat();
            if icc.len() % 2 == 1 {
                chunks.push(0);
            }
            chunks.extend(&plain[12..]);
            let length = u32::try_from(chunks.len() + 4).unwrap().to_le_bytes();
            let webp = [b"RIFF", &length[..], b"WEBP", &chunks].concat();
            for (kind, bytes) in [
                ("JPEG", with_profile(&as_jpeg(&picture), &icc)),
                ("PNG", png_with_profile(&picture, Some(&icc), None)),
                ("WebP", webp),
            ] {
                let made = make(&bytes).unwrap();
                near(
                    thirds(&decoded(&made.files, 320, Format::Jpeg).to_rgb8()),
                    IN_SRGB,
                    &format!("{what}, {kind}"),
                );
            }
        }
        let p3 = in_space(&ColorProfile::new_display_p3());
        let made = make(&png_with_profile(&p3, None, Some([12, 13, 0, 1]))).unwrap();
        near(thirds(&decoded(&made.files, 320, Format::Jpeg).to_rgb8()), IN_SRGB, "Display P3 by its number");
    }

    #[test]
    fn a_broken_profile_is_none() {
        let picture = in_space(&ColorProfile::new_srgb());
        let good = ColorProfile::new_display_p3().encode().unwrap();
        let gray = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        let mut wrong = good.clone();
        wrong[128..200].fill(0xFF);
        for (what, icc) in [
            ("nothing", Vec::new()),
            ("words", b"not a profile".to_vec()),
            ("half", good[..good.len() / 2].to_vec()),
            ("no table of tags", wrong),
            ("for grey", gray),
        ] {
            for bytes in
                [with_profile(&as_jpeg(&picture), &icc), png_with_profile(&picture, Some(&icc), None)]
            {
                let made = make(&bytes).unwrap();
                near(thirds(&decoded(&made.files, 320, Format::Jpeg).to_rgb8()), IN_SRGB, what);
            }
        }
    }

    #[test]
    fn of_an_animation_the_first_picture_is_kept() {
        let made = make(include_bytes!("../fixtures/animated.webp")).unwrap();
        assert!(made.kept.width > 0 && !made.files.is_empty());
        let mut bytes = Vec::new();
        let (red, blue) = ([220, 30, 30, 255].repeat(100), [30, 30, 220, 255].repeat(100));
        let mut encoder = png::Encoder::new(&mut bytes, 10, 10);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_animated(2, 0).unwrap();
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&red).unwrap();
        writer.write_image_data(&blue).unwrap();
        writer.finish().unwrap();
        assert!(haat_shared::media::is_animated(&bytes));
        assert_eq!(make(&bytes).unwrap().kept.color, "#dc1e1e");
    }

    #[test]
    fn heic_is_rejected_by_name() {
        let heic = include_bytes!("../fixtures/phone.heic");
        assert_eq!(make(heic).map(|made| made.kept), Err(FieldCode::PictureHeic));
    }

    #[test]
    fn metadata_and_appended_data_are_removed() {
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
            (5, (200, 400), (100, 10)),
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
        let folder = tempfile::tempdir().unwrap();
        let pictures = PictureFolder::in_folder(folder.path(), LONG).unwrap();
        let id: MediaId = "media_00000000000000000000000001".parse().unwrap();
        let bytes = as_png(&halves(700, 700));
        let names = || {
            let mut names: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(|f| f.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        let first = pictures.keep(id, bytes.clone(), ANY).await.unwrap();
        let made = names();
        let expected = ["1280.jpg", "1280.webp", "320.jpg", "320.webp", "640.jpg", "640.webp"];
        assert_eq!(made, expected.map(|end| format!("{id}-{end}")));
        assert_eq!(pictures.keep(id, bytes, ANY).await.unwrap(), first);
        assert_eq!(names(), made);

        let file = File { id, width: 640, format: Format::Webp };
        let found = pictures.read(file, None).await.unwrap().unwrap();
        assert_eq!(image::guess_format(&found.bytes).unwrap(), ImageFormat::WebP);
        assert_eq!(pictures.read(file, Some(found.tag)).await.unwrap(), None);
        let other = File { id: "media_00000000000000000000000002".parse().unwrap(), ..file };
        assert_eq!(pictures.read(other, None).await, Err(haat_shared::Error::NotFound));
        let broken = pictures.keep(id, b"GIF89a".to_vec(), ANY).await;
        assert_eq!(broken, Err(PictureError::Refused(FieldCode::NotAPicture)));
        let small = Upload { side_max: 699, ..ANY };
        let large = pictures.keep(other.id, as_png(&halves(700, 9)), small).await;
        assert_eq!(large, Err(PictureError::Refused(FieldCode::PictureTooWide(699))));

        pictures.keep(other.id, as_png(&halves(90, 90)), small).await.unwrap();
        assert_eq!(names().len(), made.len() + 2);
        for _ in 0..2 {
            pictures.remove(id).await.unwrap();
            assert_eq!(names(), ["320.jpg", "320.webp"].map(|end| format!("{}-{end}", other.id)));
        }
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

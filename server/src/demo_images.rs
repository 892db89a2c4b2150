//! Renders the demo's SVG drawings as pictures, which are then processed like every upload. SVGs from
//! outside are never rendered.

use futures::stream::{self, StreamExt, TryStreamExt};
use haat_engine::{Caller, Engine, media};
use haat_shared::{
    Error, Result,
    media::{NewPicture, Purpose},
};
use image::{
    ExtendedColorType, ImageEncoder,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree},
};
use tokio::task::spawn_blocking;

/// The width of rendered drawings. The largest width would double the time of a seed.
const WIDTH: u32 = 960;

/// The embedded drawings, by name.
const DRAWINGS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/drawings.rs"));

/// How many drawings are processed at a time: one is rendered while the store processes another.
const AT_ONCE: usize = 2;

/// Adds drawings to a shop, or to the market. Returns the pictures in the same order.
pub(crate) async fn add(engine: &Engine, shop: Option<&str>, names: &[&str]) -> Result<Vec<NewPicture>> {
    // Collected first: a stream of borrowing futures isn't recognised as `Send`, so it can't be spawned.
    let drawn: Vec<_> = names.iter().map(|name| add_one(engine, shop, name)).collect();
    stream::iter(drawn).buffered(AT_ONCE).try_collect().await
}

async fn add_one(engine: &Engine, shop: Option<&str>, name: &str) -> Result<NewPicture> {
    let Some((_, svg)) = DRAWINGS.iter().find(|(known, _)| *known == name) else {
        tracing::error!(name, "a drawing is missing");
        return Err(Error::Internal);
    };
    let png = spawn_blocking(|| raster(svg)).await.map_err(|_| Error::Internal)??;
    let picture = match shop {
        Some(shop) => media::add(engine, &Caller::system(), Purpose::ProductPicture, Some(shop), png).await?,
        None => media::add(engine, &Caller::system(), Purpose::CategoryPicture, None, png).await?,
    };
    Ok(NewPicture { media: picture.id, alt: String::new() })
}

/// The drawing as a PNG with little compression, since it is decoded again at once.
fn raster(svg: &str) -> Result<Vec<u8>> {
    let fault = |what: &str| {
        tracing::error!(what, "failed to render a demo image");
        Error::Internal
    };
    let tree = Tree::from_str(svg, &Options::default()).map_err(|e| fault(&e.to_string()))?;
    let size = tree.size().to_int_size().scale_to_width(WIDTH).ok_or_else(|| fault("it has no size"))?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or_else(|| fault("it has no size"))?;
    #[allow(clippy::float_arithmetic, reason = "a drawing, not money")]
    let scale = WIDTH as f32 / tree.size().width();
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Sub);
    let (width, height) = (pixels.width(), pixels.height());
    let written = encoder.write_image(&pixels.take_demultiplied(), width, height, ExtendedColorType::Rgba8);
    written.map_err(|e| fault(&e.to_string()))?;
    Ok(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_are_drawn_in_their_own_shape() {
        let png = raster(r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 400"><rect width="800" height="400" fill="#c00"/></svg>"##).unwrap();
        let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        assert_eq!((side(16), side(20)), (960, 480));
        assert_eq!(raster("<p>no drawing</p>"), Err(Error::Internal));
        assert!(DRAWINGS.len() > 50, "{}", DRAWINGS.len());
    }
}

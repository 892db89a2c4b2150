//! `haat-wasm-tool MODULE OUT`: splits the module into chunks that browsers load on demand, and writes its
//! bindings: `haat.wasm`, `haat.js`, `split_*.wasm`, `chunk_*.wasm` and their loader.
//!
//! scripts/site/build.mjs later puts hashes into these names. [`LOADER`] has a gap as long as a hash,
//! because its name is in the chunks' import sections, whose length must not change.

use std::{
    env,
    error::Error,
    fmt, fs,
    path::Path,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};
use wasm_bindgen_cli_support::Bindgen;
use wasm_split_cli_support::{Options, transform};

const LOADER: &str = "./__wasm_split.______________________.js";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [flag] if flag == "--version" => {
            println!("haat-wasm-tool {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        [module, out] => make(Path::new(module), Path::new(out)),
        _ => Err("usage: haat-wasm-tool MODULE OUT".into()),
    }
}

fn make(module: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(out)?;
    let main = out.join("main.wasm");
    let bytes = fs::read(module)?;
    let mut options = Options::new(&bytes);
    options.output_dir = out;
    options.main_out_path = &main;
    options.main_module = "./haat.js";
    options.link_name = LOADER;
    let warnings = Warnings::default();
    let split = tracing::subscriber::with_default(warnings.clone(), || transform(options))?;
    let warnings = warnings.0.lock().map(|all| all.join("\n")).unwrap_or_default();
    // Browsers would load the data of all chunks with the main module.
    if warnings.contains("Overlong segment") {
        return Err(format!("{warnings}\nMake ROOM in frontend/src/lib.rs larger.").into());
    }

    // Which chunks each lazy part needs, by name, in a stable order.
    let mut parts: Vec<_> = split.prefetch_map.into_iter().collect();
    parts.sort();
    let quoted = |names: &[String]| names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ");
    let rows: Vec<_> = parts.iter().map(|(part, chunks)| format!("  {part:?}: [{}]", quoted(chunks))).collect();
    fs::write(out.join("__wasm_split_manifest.json"), format!("{{\n{}\n}}\n", rows.join(",\n")))?;

    Bindgen::new()
        .input_path(&main)
        .out_name("haat")
        .web(true)?
        .typescript(false)
        .keep_lld_exports(true)
        .demangle(false)
        .generate(out)?;
    fs::remove_file(main)?;
    // The name that the pages' hydration script asks for.
    fs::rename(out.join("haat_bg.wasm"), out.join("haat.wasm"))?;
    Ok(())
}

/// What the splitter warns of.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Subscriber for Warnings {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        of.is_event() && *of.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        if let Ok(mut all) = self.0.lock() {
            all.push(text.0);
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

//! How a page comes alive: the script that loads the WebAssembly once the page is shown. Server only.
//!
//! Leptos' own script has the browser load everything at once, at a low priority. On a phone, that still competes with
//! the pictures of the first view.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use leptos::prelude::*;
use leptos_meta::Meta;

/// The files for browsers.
struct Files {
    /// The script that loads the module.
    script: String,
    /// The main module.
    module: String,
    /// The files of each chunk.
    chunks: HashMap<String, Vec<String>>,
}

static FILES: OnceLock<Option<Files>> = OnceLock::new();

/// The chunks that the page has named: Leptos renders parts that wait for data more than once.
#[derive(Clone, Default)]
struct Named(Arc<Mutex<BTreeSet<&'static str>>>);

/// Starts when the page has loaded and the browser is idle, or when the user touches the page; and after a while in any case, since
/// a picture may never arrive. The suggestions of the search field are loaded when it is first focused.
const START: &str = r#"let begun=false;const start=()=>{if(begun)return;begun=true;for(const meta of document.querySelectorAll("meta[name=later]"))for(const href of meta.content.split(" "))document.head.append(Object.assign(document.createElement("link"),{rel:"preload",as:"fetch",crossOrigin:"anonymous",href}));import(script).then(loaded=>loaded.default({module_or_path:module}).then(()=>loaded.hydrate()))},idle=()=>"requestIdleCallback"in window?requestIdleCallback(start,{timeout:2000}):setTimeout(start,200);document.readyState==="complete"?idle():addEventListener("load",idle,{once:true});for(const touch of["pointerdown","keydown"])addEventListener(touch,start,{once:true,capture:true});setTimeout(start,5000);addEventListener("focusin",({target})=>{if(target.id==="search")import("/suggest.js").then(it=>it.suggest(target))})"#;

/// The script, which must be in the head of the page. Builds without hashed names (`make watch`) use that of Leptos.
pub(crate) fn script(options: LeptosOptions) -> AnyView {
    let Some(files) = FILES.get_or_init(|| Files::read(&options)) else {
        return view! { <HydrationScripts options defer=true /> }.into_any();
    };
    provide_context(Named::default());
    let start = format!("const script={:?},module={:?};{START}", files.script, files.module);
    view! {
        <meta name="later" content=files.module.as_str() />
        <script type="module" nonce=leptos::nonce::use_nonce()>{start}</script>
    }
    .into_any()
}

/// Has the page's script load the files of a chunk beside the main module.
pub(crate) fn needs(chunk: &'static str) {
    let Some(Some(files)) = FILES.get() else { return };
    let named = use_context::<Named>().unwrap_or_default();
    if !named.0.lock().unwrap_or_else(PoisonError::into_inner).insert(chunk) {
        return;
    }
    if let Some(files) = files.chunks.get(chunk) {
        view! { <Meta name="later" content=files.join(" ") /> }.to_html();
    }
}

impl Files {
    /// Their names, as the build left them beside the program; none if it left none.
    fn read(options: &LeptosOptions) -> Option<Self> {
        if !options.hash_files {
            return None;
        }
        let list = std::env::current_exe().ok()?.parent()?.join(options.hash_file.as_ref());
        let list = std::fs::read_to_string(list).ok()?;
        let hash = |kind: &str| {
            list.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(':')).map(str::trim)
        };
        let (folder, name) = (&options.site_pkg_dir, &options.output_name);
        let manifest = format!("__wasm_split_manifest.{}.json", hash("manifest")?);
        let manifest = Path::new(options.site_root.as_ref()).join(folder.as_ref()).join(manifest);
        let manifest = std::fs::read_to_string(manifest).ok()?;
        let mut chunks: HashMap<String, Vec<String>> = serde_json::from_str(&manifest).ok()?;
        for file in chunks.values_mut().flatten() {
            *file = format!("/{folder}/{file}.wasm");
        }
        Some(Self {
            script: format!("/{folder}/{name}.{}.js", hash("js")?),
            module: format!("/{folder}/{name}.{}.wasm", hash("wasm")?),
            chunks,
        })
    }
}

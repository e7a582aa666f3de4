//! Who may know whom: the module graph, read from the source.
//!
//! The layers that decide are pure. This test reads every path that their files name (with `use` aliases, `self`, `super`
//! and the insides of macros resolved) and fails when one leads to a clock, a file, a socket, a process, a task, an unordered
//! map or an outer layer. What a dependency does inside is its own matter; which dependencies the pure part has at all is
//! asked of cargo.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use syn::{parse::Parser as _, visit::Visit};

/// The pure layers, and which layers each may name.
const LAYERS: &[(&str, &[&str])] = &[
    ("plan", &["plan"]),
    ("engine", &["engine", "plan"]),
    ("world", &["world", "engine", "plan"]),
    ("preview", &["preview", "world", "engine", "plan"]),
    ("rehearse", &["rehearse", "world", "engine", "plan"]),
    ("explore", &["explore", "world", "engine", "plan"]),
    ("journal", &["journal", "engine", "plan"]),
    ("replay", &["replay", "journal", "engine", "plan"]),
];

/// Nothing pure reaches these.
const OUTSIDE: &[&str] = &[
    "tokio",
    "kube",
    "k8s_openapi",
    "hyper",
    "hyper_util",
    "http_body_util",
    "futures_util",
    "rustix",
    "tracing",
    "clap",
    "anyhow",
    "std::fs",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::net::ToSocketAddrs",
    "std::process",
    "std::env",
    "std::io",
    "std::os",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::hash::RandomState",
    "std::collections::hash_map",
];

/// Nothing pure names these, wherever they come from.
const CALLS: &[&str] = &["Timestamp::now", "Zoned::now", "Instant::now", "SystemTime::now", "HashMap", "HashSet"];

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files of a layer: `src/LAYER.rs` and all under `src/LAYER/`.
fn files_of(layer: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut todo = vec![source_root().join(layer), source_root().join(format!("{layer}.rs"))];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.is_file() && path.extension().is_some_and(|ext| ext == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// `src/plan/check/mod.rs` is module `plan::check`.
fn module_of(file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(source_root()).unwrap().with_extension("");
    let mut module: Vec<String> = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// All paths that one file names.
struct Names {
    module: Vec<String>,
    aliases: BTreeMap<String, Vec<String>>,
    found: Vec<String>,
}

impl Names {
    fn of(module: Vec<String>, source: &str) -> Vec<String> {
        let file = syn::parse_file(source).unwrap();
        let mut names = Self { module, aliases: BTreeMap::new(), found: Vec::new() };
        names.visit_file(&file); // first the `use`s are learnt, wherever they stand
        names.found.clear();
        names.visit_file(&file);
        names.found.sort();
        names.found.dedup();
        names.found
    }

    fn note(&mut self, segments: Vec<String>) {
        let mut path = segments;
        if let Some(full) = path.first().and_then(|first| self.aliases.get(first)) {
            path = full.iter().chain(&path[1..]).cloned().collect();
        }
        self.found.push(self.absolute(path).join("::"));
    }

    /// With `self`, `super`, `core` and `alloc` taken out.
    fn absolute(&self, path: Vec<String>) -> Vec<String> {
        let mut module = self.module.clone();
        let mut rest = path.as_slice();
        let mut relative = false;
        while let Some(first) = rest.first() {
            match first.as_str() {
                "self" => relative = true,
                "super" => {
                    relative = true;
                    module.pop();
                }
                _ => break,
            }
            rest = &rest[1..];
        }
        if relative {
            return std::iter::once("crate".to_owned()).chain(module).chain(rest.iter().cloned()).collect();
        }
        match rest.first().map(String::as_str) {
            Some("core" | "alloc") => std::iter::once("std".to_owned()).chain(rest[1..].iter().cloned()).collect(),
            _ => path,
        }
    }

    fn use_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            syn::UseTree::Path(path) => self.use_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.use_tree(before, tree)),
            syn::UseTree::Glob(_) => self.note(before.to_vec()),
            syn::UseTree::Name(name) if name.ident == "self" => {
                self.learn(before.last().cloned().unwrap_or_default(), before.to_vec())
            }
            syn::UseTree::Name(name) => self.learn(name.ident.to_string(), with(&name.ident)),
            syn::UseTree::Rename(rename) => self.learn(rename.rename.to_string(), with(&rename.ident)),
        }
    }

    fn learn(&mut self, name: String, path: Vec<String>) {
        let full = self.absolute(path);
        self.found.push(full.join("::"));
        self.aliases.insert(name, full);
    }
}

/// The paths in the tokens of a macro, which syn does not parse: words joined by `::`, outside of texts.
fn token_paths(tokens: &str) -> Vec<Vec<String>> {
    let (mut code, mut text, mut escaped) = (String::new(), false, false);
    for c in tokens.chars() {
        match c {
            '"' if !escaped => text = !text,
            _ if !text => code.push(c),
            _ => {}
        }
        escaped = text && c == '\\' && !escaped;
    }
    let joined = code.replace(" :: ", "::").replace(":: ", "::").replace(" ::", "::");
    let runs = joined.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).map(|run| run.trim_matches(':'));
    runs.filter(|run| !run.is_empty()).map(|run| run.split("::").map(str::to_owned).collect()).collect()
}

/// Whether an item is only there for tests.
fn only_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        list.path.is_ident("cfg") && list.tokens.to_string().contains("test") && !list.tokens.to_string().contains("not")
    })
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if only_for_tests(&item.attrs) {
            return;
        }
        if item.content.is_some() {
            self.module.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !only_for_tests(&item.attrs) {
            syn::visit::visit_item_fn(self, item);
        }
    }
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !only_for_tests(&item.attrs) {
            self.use_tree(&[], &item.tree);
        }
    }
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.note(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        token_paths(&item.tokens.to_string()).into_iter().for_each(|path| self.note(path));
        // The arguments of `format!` and its like are expressions: their paths are read properly as well.
        let arguments = syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        if let Ok(arguments) = arguments.parse2(item.tokens.clone()) {
            arguments.iter().for_each(|argument| self.visit_expr_owned(argument));
        }
        syn::visit::visit_macro(self, item);
    }
}

impl Names {
    fn visit_expr_owned(&mut self, expression: &syn::Expr) {
        let mut inner = Names { module: self.module.clone(), aliases: self.aliases.clone(), found: Vec::new() };
        inner.visit_expr(expression);
        self.found.append(&mut inner.found);
    }
}

/// What a file of `layer` names and may not.
fn violations(layer: &str, module: Vec<String>, source: &str) -> Vec<String> {
    let (_, allowed) = LAYERS.iter().find(|(name, _)| *name == layer).unwrap();
    let forbidden = |path: &String| {
        let under = |start: &&str| path == *start || path.strip_prefix(*start).is_some_and(|rest| rest.starts_with("::"));
        let ends = |end: &&str| path == *end || path.strip_suffix(*end).is_some_and(|rest| rest.ends_with("::"));
        let contains = |call: &&str| ends(call) || path.contains(&format!("{call}::")) && !call.contains("::");
        let inner = match path.strip_prefix("crate::") {
            Some(inside) => !allowed.contains(&inside.split("::").next().unwrap_or_default()),
            None => false,
        };
        inner || OUTSIDE.iter().any(under) || CALLS.iter().any(contains)
    };
    Names::of(module, source).into_iter().filter(forbidden).collect()
}

#[test]
fn what_decides_reaches_no_clock_file_socket_task_or_outer_layer() {
    let mut wrong = Vec::new();
    let mut files = 0;
    for (layer, _) in LAYERS {
        for file in files_of(layer) {
            files += 1;
            let found = violations(layer, module_of(&file), &std::fs::read_to_string(&file).unwrap());
            wrong.extend(found.into_iter().map(|path| format!("{}: {path}", file.display())));
        }
    }
    assert!(files > 20, "only {files} files were read");
    assert!(wrong.is_empty(), "these may not be named in a pure layer:\n{}", wrong.join("\n"));
}

#[test]
fn each_way_to_reach_outside_is_seen() {
    let ways = [
        "use std::time::Instant;",
        "use std::time as t; fn f() { let _ = t::Instant::now(); }",
        "use std::{collections::{BTreeMap, HashMap}, fmt};",
        "use std::collections::*; fn f() -> HashMap<u8, u8> { todo!() }",
        "fn f() { let _ = std::fs::read(\"x\"); }",
        "use std::fs as files; fn f() { let _ = files::read(\"x\"); }",
        "fn f() { let _ = jiff::Timestamp::now(); }",
        "use jiff::Timestamp; fn f() -> Timestamp { Timestamp::now() }",
        "use jiff::Timestamp as T; fn f() -> T { T::now() }",
        "use crate::ports::Store;",
        "use super::super::adapters;",
        "mod inner { use super::super::super::drive; }",
        "use crate::{engine::Record, plan::Plan};",
        "fn f() { tokio::spawn(async {}); }",
        "macro_rules! m { () => { std::env::var(\"X\") } }",
        "fn f() { println!(\"{}\", std::process::id()); }",
        "fn f() { g!(a; std::thread::sleep(b)); }",
        "impl S { fn f(&self) -> Box<dyn std::io::Write> { todo!() } }",
        "use core::net; use std::net::TcpStream;",
        "#[cfg(not(test))] fn f() { let _ = std::fs::read(\"x\"); }",
    ];
    for way in ways {
        let found = violations("plan", vec!["plan".into(), "check".into()], way);
        assert!(!found.is_empty(), "not seen: {way}");
    }
    let good = [
        "use std::{collections::BTreeMap, net::IpAddr, time::Duration}; use crate::plan::Path; use super::names::Span;",
        "#[cfg(test)] mod tests { use std::fs; }",
        "fn f() { println!(\"std::fs and \\\" HashMap {}\", 1); }",
        "//! HashMap is only spoken of.\n/// So is std::fs.\nfn f() {}",
    ];
    for source in good {
        assert_eq!(violations("plan", vec!["plan".into(), "check".into()], source), Vec::<String>::new(), "{source}");
    }
    let engine = |source| violations("engine", vec!["engine".into(), "gate".into()], source);
    assert!(engine("use crate::plan::Plan;").is_empty());
    assert!(!engine("use crate::journal::Line;").is_empty());
}

/// The pure part is a library of its own: without features it has neither a runtime nor a cluster.
#[test]
fn without_features_there_is_no_runtime_and_no_cluster() {
    let tree = |features: &[&str]| {
        let arguments =
            ["tree", "--offline", "--locked", "-p", "gapless", "-e", "normal", "--prefix", "none", "--format", "{lib}"];
        let output =
            Command::new(env!("CARGO")).args(arguments).args(features).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let outside = ["tokio", "kube", "kube_client", "hyper", "rustix", "mio", "reqwest", "clap"];
    let reached = |tree: &str| outside.iter().filter(|name| tree.lines().any(|line| line == **name)).copied().collect::<Vec<_>>();
    assert_eq!(reached(&tree(&["--no-default-features"])), Vec::<&str>::new());
    assert!(reached(&tree(&[])).contains(&"tokio"), "the question is asked in a way that can find something");
}

//! What is written agrees with itself and with the code: links, tables, citations, both languages. The pages that are
//! made from the code have tests beside the code that makes them (`codes`, `diagnosis_manual`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use qcloud_validator::{Dialect, Reason};

const READMES: [&str; 2] = ["README.md", "README.zh-CN.md"];
const FRONT: [&str; 7] = [
    "README.md",
    "README.zh-CN.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "benches/README.md",
    "tests/README.md",
];

#[test]
fn every_link_leads_to_a_file() {
    for page in pages() {
        let folder = page.path.parent().unwrap();
        for target in page.links().filter(|target| is_relative(target)) {
            let file = target.split('#').next().unwrap();
            assert!(folder.join(file).is_file(), "{}: {target}", page.name);
        }
    }
}

#[test]
fn every_link_is_defined_and_every_definition_is_used() {
    for page in pages() {
        let defined: BTreeSet<String> = page.definitions().into_keys().collect();
        assert_eq!(page.references(), defined, "{}", page.name);
    }
}

/// In the published documentation a link to a file leads nowhere, unless `lib.rs` defines it before the page does.
#[test]
fn links_lead_somewhere_in_the_published_documentation_too() {
    let lib = read("src/lib.rs");
    let (front, manual) = lib
        .split_once("#![doc = include_str!(\"../README.md\")]")
        .unwrap();
    for page in pages() {
        let before = match page.name.as_str() {
            "README.md" => front,
            name if name.starts_with("src/manual/") => manual,
            _ => continue,
        };
        assert!(
            !page.inline_links().any(|link| is_relative(&link)),
            "{}",
            page.name
        );
        for label in page.definitions().into_keys() {
            let defined = before.contains(&format!("[{label}]: "));
            assert!(
                defined,
                "{}: [{label}] is not defined in src/lib.rs",
                page.name
            );
        }
    }
}

#[test]
fn every_page_of_the_manual_is_published() {
    let lib = read("src/lib.rs");
    for page in pages() {
        if let Some(file) = page.name.strip_prefix("src/") {
            assert!(lib.contains(&format!("from \"{file}\"")), "{file}");
        }
    }
}

/// The eighteen rows of the common-error page, as both READMEs have them: code, number, codes of API 3.0.
#[test]
fn the_tables_of_errors_say_what_the_code_says() {
    let mut told: BTreeMap<(String, u16), BTreeSet<String>> = BTreeMap::new();
    for reason in Reason::examples() {
        let code = reason.code(Dialect::V2).name().to_owned();
        let number = reason.code(Dialect::V2Numeric).number().unwrap();
        let in_v3 = reason.code(Dialect::V3).name().to_owned();
        told.entry((code, number)).or_default().insert(in_v3);
    }
    // A full share of nonces is a rate, so the rate's row is right.
    assert_eq!(told.len(), 18);

    let mut orders = BTreeSet::new();
    for name in READMES {
        let rows = numbered_rows(&read(name));
        let written: BTreeMap<(String, u16), BTreeSet<String>> = rows
            .iter()
            .map(|row| {
                let code = quoted(&row[1]).into_iter().next().unwrap();
                let number = row[2].parse().unwrap();
                ((code, number), quoted(&row[3]).into_iter().collect())
            })
            .collect();
        assert_eq!(rows.len(), 18, "{name}");
        assert_eq!(written, told, "{name}");
        orders.insert(order(&rows));
    }
    orders.insert(order(&numbered_rows(&read("src/manual/common-errors.md"))));
    assert_eq!(
        orders.len(),
        1,
        "the rows stand in different orders: {orders:?}"
    );
}

/// Number of the row, code and numeric code.
fn order(rows: &[Vec<String>]) -> Vec<[String; 3]> {
    let cells = |row: &Vec<String>| [row[0].clone(), row[1].clone(), row[2].clone()];
    rows.iter().map(cells).collect()
}

#[test]
fn both_languages_have_the_same_sections_and_the_same_code() {
    let [english, chinese] = READMES.map(read);
    let sections = |text: &str| {
        let lines = prose(text).into_iter();
        lines.filter(|line| line.starts_with('#')).count()
    };
    assert_eq!(sections(&english), 13);
    assert_eq!(sections(&english), sections(&chinese));

    let (english, chinese) = (blocks(&english), blocks(&chinese));
    assert_eq!(english.len(), 7);
    assert_eq!(english.len(), chinese.len());
    for (english, chinese) in english.iter().zip(&chinese) {
        assert_eq!(english.language, chinese.language);
        if english.language != "text" {
            assert_eq!(english.without_comments(), chinese.without_comments());
        }
    }
}

#[test]
fn features_and_the_rust_version_are_those_of_the_package() {
    let package = read("Cargo.toml");
    let features = package
        .split("[features]\n")
        .nth(1)
        .and_then(|rest| rest.split("\n[").next())
        .unwrap();
    let version = package
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .unwrap()
        .trim_matches('"');
    for name in READMES {
        let readme = read(name);
        for feature in features.lines().filter_map(|line| line.split_once(" = ")) {
            if feature.0 != "default" {
                let row = format!("\n| `{}` | ", feature.0);
                assert!(readme.contains(&row), "{name}: {}", feature.0);
            }
        }
        assert!(
            readme.contains(&format!("\n{version}")),
            "{name}: {version}"
        );
    }
}

/// `invariants::a_store_that_fails_refuses` is a function of a file or folder `invariants` of the tests.
#[test]
fn the_tests_that_show_a_promise_exist() {
    let tests: Vec<Source> = ["tests", "cli/tests"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .map(|path| Source {
            text: fs::read_to_string(&path).unwrap(),
            path,
        })
        .collect();
    let mut cited = 0;
    let pages = ["src/manual/threats.md", "tests/README.md"].map(read);
    for word in pages.iter().flat_map(|page| quoted(page)) {
        // Modules between file and function are a matter of the file.
        let (Some((file, _)), Some((_, test))) = (word.split_once("::"), word.rsplit_once("::"))
        else {
            continue;
        };
        if file.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            let function = format!("fn {test}(");
            let mut named = tests.iter().filter(|source| is_of(source, file));
            assert!(
                named.any(|source| source.text.contains(&function)),
                "{word}"
            );
            cited += 1;
        }
    }
    assert!(cited > 50, "{cited}");
}

struct Source {
    path: PathBuf,
    text: String,
}

/// Whether a source is the module of that name or lies in its folder.
fn is_of(source: &Source, module: &str) -> bool {
    let path = source.path.with_extension("");
    path.iter().any(|part| part == module)
}

/// Comments cite the manual, as `protocol.md §4.4 step 3` or `common-errors.md rows 3 to 5`.
#[test]
fn every_citation_in_the_source_has_its_section_and_row() {
    let mut cited = 0;
    for file in sources(&root().join("src")) {
        let text = comments(&fs::read_to_string(&file).unwrap());
        for name in ["protocol.md", "clients.md", "common-errors.md"] {
            let page = read(&format!("src/manual/{name}"));
            for (at, _) in text.match_indices(name) {
                let rest = &text[at + name.len()..];
                let end = rest.find(')').unwrap_or(rest.len());
                let end = rest[..end].find(".md").unwrap_or(end);
                for place in places(&rest[..end]) {
                    assert!(holds(&page, &place), "{}: {name} {place:?}", file.display());
                    cited += 1;
                }
            }
        }
    }
    assert!(cited > 50, "{cited}");
}

/// A section, or a row of the table in a section.
#[derive(Debug)]
enum Place {
    Section(String),
    Row(String, String),
}

fn places(citation: &str) -> Vec<Place> {
    let mut places = Vec::new();
    let mut section = String::new();
    let mut in_rows = false;
    for word in citation.split_whitespace() {
        let word = word.trim_end_matches([',', ';', ':', '.']);
        if let Some(sections) = word.strip_prefix('§') {
            for number in sections.split('–') {
                section = number.to_owned();
                places.push(Place::Section(section.clone()));
            }
            in_rows = false;
        } else if ["fact", "row", "rows", "step", "steps"].contains(&word) {
            in_rows = true;
        } else if in_rows && !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()) {
            places.push(Place::Row(section.clone(), word.to_owned()));
        } else if !["and", "to"].contains(&word) {
            in_rows = false;
        }
    }
    places
}

fn holds(page: &str, place: &Place) -> bool {
    let heading = |line: &str, section: &str| {
        let title = line.trim_start_matches('#').trim_start();
        let number = title.split_whitespace().next().unwrap_or_default();
        line.starts_with('#') && number.trim_end_matches('.') == section
    };
    match place {
        Place::Section(section) => page.lines().any(|line| heading(line, section)),
        Place::Row(section, row) => page
            .lines()
            .skip_while(|line| !section.is_empty() && !heading(line, section))
            .skip(1)
            .take_while(|line| section.is_empty() || !line.starts_with('#'))
            .any(|line| line.starts_with(&format!("| {row} |"))),
    }
}

/// The comments of a source file, as running text.
fn comments(source: &str) -> String {
    let lines = source.lines().map(str::trim_start);
    let comments = lines.filter_map(|line| line.strip_prefix("//"));
    let texts = comments.map(|line| line.trim_start_matches(['/', '!']).trim());
    texts.collect::<Vec<_>>().join(" ")
}

/// A page of Markdown.
struct Page {
    name: String,
    path: PathBuf,
    text: String,
}

impl Page {
    fn links(&self) -> impl Iterator<Item = String> {
        self.inline_links().chain(self.definitions().into_values())
    }

    /// `[text](target)`
    fn inline_links(&self) -> impl Iterator<Item = String> {
        let mut links = Vec::new();
        for line in prose(&self.text) {
            for piece in line.split("](").skip(1) {
                links.push(piece.split(')').next().unwrap().to_owned());
            }
        }
        links.into_iter()
    }

    /// `[label]: target`
    fn definitions(&self) -> BTreeMap<String, String> {
        let mut definitions = BTreeMap::new();
        for line in prose(&self.text) {
            let definition = line
                .strip_prefix('[')
                .and_then(|rest| rest.split_once("]: "));
            if let Some((label, target)) = definition {
                definitions.insert(label.to_owned(), target.to_owned());
            }
        }
        definitions
    }

    /// Labels in `[text][label]`, and in `[label]` alone.
    fn references(&self) -> BTreeSet<String> {
        let mut references = BTreeSet::new();
        for line in prose(&self.text) {
            if line.starts_with('[') && line.contains("]: ") {
                continue;
            }
            let line = without_code(&line);
            for piece in line.split("][").skip(1) {
                references.insert(piece.split(']').next().unwrap().to_owned());
            }
        }
        references
    }
}

/// A fenced block.
struct Block {
    language: String,
    lines: Vec<String>,
}

impl Block {
    fn without_comments(&self) -> Vec<&str> {
        let code = self.lines.iter().map(|line| match line.find("// ") {
            Some(at) => line[..at].trim_end(),
            None => line.as_str(),
        });
        code.filter(|line| !line.is_empty()).collect()
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                blocks.push(Block {
                    language: language.to_owned(),
                    lines: Vec::new(),
                });
            }
            None if open => blocks.last_mut().unwrap().lines.push(line.to_owned()),
            None => {}
        }
    }
    blocks
}

/// The lines outside of fenced blocks.
fn prose(text: &str) -> Vec<String> {
    let mut open = false;
    let outside = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        open ^= fence;
        !open && !fence
    });
    outside.map(str::to_owned).collect()
}

/// The rows of a table whose first cell is a number, cell by cell.
fn numbered_rows(text: &str) -> Vec<Vec<String>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    rows.map(|row| {
        row.split(" | ")
            .map(|cell| cell.trim_end_matches(" |").to_owned())
            .collect()
    })
    .filter(|row: &Vec<String>| row.len() >= 5 && row[0].parse::<u16>().is_ok())
    .collect()
}

/// The words between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn without_code(line: &str) -> String {
    // The text of a link may be code; what matters is what stands between the backticks elsewhere.
    line.split('`').step_by(2).collect()
}

fn is_relative(target: &str) -> bool {
    !target.contains("://") && !target.starts_with('#')
}

fn pages() -> Vec<Page> {
    let mut names: Vec<String> = FRONT.map(str::to_owned).to_vec();
    for entry in fs::read_dir(root().join("src/manual")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        names.push(format!("src/manual/{file}"));
    }
    assert!(names.len() > 10);
    let page = |name: String| Page {
        path: root().join(&name),
        text: read(&name),
        name,
    };
    names.into_iter().map(page).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

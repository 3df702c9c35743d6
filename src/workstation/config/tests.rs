//! Files as people have them, and as nobody should.

use super::{Block, Config, Conflict, Merge, OnConflict, SectionKind};

fn pairs(keys: &[(&str, &str)]) -> Vec<(String, String)> {
    keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn block(name: &str, keys: &[(&str, &str)]) -> Block {
    Block { kind: SectionKind::Profile, name: name.to_owned(), keys: pairs(keys), optional: Vec::new() }
}

fn keep(text: &str, blocks: &[Block]) -> Merge {
    Config::parse(text).merge(blocks, OnConflict::Keep)
}

fn replaced(text: &str, blocks: &[Block]) -> Merge {
    Config::parse(text).merge(blocks, OnConflict::Replace)
}

fn problem_lines(text: &str) -> Vec<usize> {
    Config::parse(text).problems().iter().map(|problem| problem.line).collect()
}

#[test]
fn sections_and_keys_are_found_as_the_aws_cli_finds_them() {
    let text = "\u{feff}# top\r\n[default]\r\nRegion\t=  eu-west-1 \r\n[profile \"a b\"] ; c\r\ns3 =\r\n  max = 20\
                \r\n\r\n\tregion = no # kept\r\noutput=json#x ; cut\r\n[sso-session s]\nsso_region: x\n\
                [services 'v w']\n[plugins]\na=1";
    let config = Config::parse(text);
    assert_eq!(config.profiles(), ["default", "a b"]);
    let get = |name: &str, key: &str| config.profile(name).and_then(|section| section.get(key));
    assert_eq!((get("default", "region"), get("a b", "output")), (Some("eu-west-1"), Some("json#x")));
    assert_eq!((get("a b", "region"), get("a b", "s3")), (None, Some("\nmax = 20\nregion = no # kept")));
    let default = config.profile("default").map(|section| (section.line(), section.key_line("REGION")));
    assert_eq!(default, Some((2, Some(3))));
    assert_eq!(config.sso_session("s").and_then(|session| session.get("sso_region")), Some("x"));
    assert_eq!(problem_lines(text), [1, 9, 11]);
    assert_eq!(keep(text, &[]).text, text);
}

#[test]
fn what_is_refused_or_read_differently_is_a_problem() {
    for (text, lines) in [
        ("a = b\n[default]\na=b\nA = c\n[default]\n", vec![1, 4, 5]),
        ("[profile a\nx\n= y\n[profile a b]\n[]\n[profile c] d\n[profile e#f]", vec![1, 2, 3, 4, 5, 6, 7]),
        ("[profile a]\n  b = c\n  # d\n[profile default]\nx =\n y\n[default]", vec![2, 3, 6, 7]),
        ("[default]\r\na = b\r\n; c\n#d\n[profile x] # y\ns3 =\n  a = b\n\n  c = d\n", vec![]),
    ] {
        assert_eq!(problem_lines(text), lines, "{text}");
    }
}

#[test]
fn profile_default_and_the_last_key_win_and_the_indented_key_of_the_aws_cli_counts() {
    let config = Config::parse("[profile default]\na = 0\nA = 1\n[default]\na = 2\n[profile b]\n  c = 3\n  d = 4\n");
    assert_eq!(config.profile("default").and_then(|section| section.get("a")), Some("1"));
    assert_eq!(config.profile("b").and_then(|section| section.get("d")), Some("4"));
    assert_eq!(keep("[default]\n", &[block("default", &[("a", "1")])]).text, "[default]\na = 1\n");
}

#[test]
fn a_missing_section_goes_to_the_end_in_the_style_of_the_file() {
    let blocks = [block("a b", &[("x", "1"), ("y", "")]), block("default", &[])];
    let tail = "[profile \"a b\"]\nx = 1\ny =\n\n[default]\n";
    for (before, between) in [("", ""), ("[profile z]", "\n\n"), ("# c\n", "\n"), ("# c\n \n", ""), ("# c\n ", "\n")] {
        assert_eq!(keep(before, &blocks).text, format!("{before}{between}{tail}"));
    }
    let merge = keep("[z]\r\na = 1", &blocks);
    assert_eq!(merge.text, format!("[z]\r\na = 1\r\n\r\n{}", tail.replace('\n', "\r\n")));
    assert_eq!(merge.added, ["[profile \"a b\"]", "[default]"]);
    let session = Block { kind: SectionKind::SsoSession, ..block("s", &[("sso_region", "eu-west-1")]) };
    assert_eq!(keep("", &[session]).text, "[sso-session s]\nsso_region = eu-west-1\n");
    let credentials = Config::parse_credentials("[a b]\nx = 2");
    assert_eq!(credentials.merge(&[block("c", &[("k", "v")])], OnConflict::Keep).text, "[a b]\nx = 2\n\n[c]\nk = v\n");
    assert_eq!(credentials.merge(&blocks, OnConflict::Keep).conflicts.len(), 1);
    assert_eq!(credentials.merge(&[block("DEFAULT", &[])], OnConflict::Keep).refused.len(), 1);
}

#[test]
fn missing_keys_go_behind_the_last_key_and_nothing_else_moves() {
    let text = "[profile a] # mine\n# first\nfoo = bar\ns3 =\n  x = 1\n  # in\n\n# about b\n[profile b]\n";
    let mut wanted = block("a", &[("FOO", "bar"), ("k", "v")]);
    wanted.optional = pairs(&[("s3", "else"), ("output", "json")]);
    let merge = keep(text, std::slice::from_ref(&wanted));
    assert_eq!(merge.text, text.replace("  # in\n", "  # in\nk = v\noutput = json\n"));
    assert_eq!(merge.updated, [("[profile a]".to_owned(), vec!["k".to_owned(), "output".to_owned()])]);
    let again = keep(&merge.text, &[wanted]);
    assert_eq!((again.text, again.unchanged), (merge.text, vec!["[profile a]".to_owned()]));
    let both = [block("b", &[]), block("a", &[("y", "2")])];
    assert_eq!(keep("[profile a]\nx = 1", &both).text, "[profile a]\nx = 1\ny = 2\n\n[profile b]\n");
    assert_eq!(keep("#\r\n[profile a]\r", &[block("a", &[("y", "2")])]).text, "#\r\n[profile a]\r\ny = 2\r\n");
    assert_eq!(keep("[profile a]\n [profile b]\n", &both).text, "[profile a]\n y = 2\n [profile b]\n");
}

#[test]
fn another_value_is_a_conflict_or_replaced_in_its_place() {
    let text = "[profile a]\n\tx\t=old  ; why\r\ny = 1\ns3 =\n  b = c\n";
    let wanted = [block("a", &[("x", "new"), ("z", "3")])];
    let merge = keep(text, &wanted);
    let [section, key, there, to] = ["[profile a]", "x", "old", "new"].map(str::to_owned);
    assert_eq!(merge.conflicts, [Conflict { section, key, line: 2, there, wanted: to }]);
    assert_eq!((merge.text.as_str(), merge.updated.len(), merge.unchanged.len()), (text, 0, 0));
    assert_eq!(replaced(text, &wanted).text, text.replace("old", "new") + "z = 3\n");
    assert_eq!(replaced(text, &[block("a", &[("s3", "flat"), ("y", "2")])]).text, text, "sub-properties are not lost");
    assert_eq!(replaced("[default]\nx = # c", &[block("default", &[("x", "1")])]).text, "[default]\nx =1 # c");
}

#[test]
fn what_could_break_out_of_the_form_is_refused() {
    for name in ["", " a", "a\n[b", "a]", "a\"b", "a\\b", "a#b", "a\tb", "a\u{a0}b"] {
        assert!(block(name, &[]).check().is_err(), "{name:?}");
        let merge = keep("# c", &[block(name, &[("k", "v")])]);
        assert_eq!((merge.text.as_str(), merge.refused.len()), ("# c", 1));
    }
    for pair in
        [("k", "a\nb"), ("k", " a"), ("k", "a #b"), ("k", ";a"), ("k", "a\r"), ("k:", "v"), ("", "v"), ("#k", "v")]
    {
        assert!(block("a", &[pair]).check().is_err(), "{pair:?}");
    }
    assert!(block("a", &[("k", "v"), ("K", "v")]).check().is_err());
    assert!(block("a", &[("k", "https://x/y#z;=:\"]")]).check().is_ok());
    assert_eq!(keep("", &[block("a", &[]), block("a", &[])]).refused.len(), 1);
}

const LINES: &str = "[default]|[profile default]|[profile a]|[profile \"b c\"] # d|[sso-session a]|[profile broken|\
                     k = 1|K=2 ; c|j: 3|  k = 4|    deep = 5|\tj|s3 =| # e|# f||\u{feff}|junk| [profile a]|j =";

struct Dice(u64);

impl Dice {
    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from(self.0 >> 33).unwrap_or_default() % items.len();
        items.get(at).copied().unwrap_or_default()
    }

    fn coin(&mut self) -> bool {
        self.pick(&["", "x"]).is_empty()
    }

    fn text(&mut self) -> String {
        let lines: Vec<&str> = LINES.split('|').collect();
        let mut text = String::new();
        while self.pick(&["", "", "", "", "", "", "", "stop"]).is_empty() {
            text.extend([self.pick(&lines), self.pick(&["\n", "\r\n"])]);
        }
        if self.coin() {
            text.pop();
        }
        text
    }

    fn block(&mut self, name: &str) -> Block {
        let (k, j) = (self.pick(&["1", "x#y"]), self.pick(&["3", ""]));
        let wanted = if self.coin() { block(name, &[("k", k), ("j", j)]) } else { block(name, &[("k", k)]) };
        Block { optional: pairs(&[("s3", "x"), ("region", "y")]), ..wanted }
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(|line| line.trim_end_matches('\r'))
}

#[test]
fn random_merges_lose_nothing_and_read_back() {
    let mut dice = Dice(7);
    for _ in 0..2_000 {
        let text = dice.text();
        let blocks = ["default", "a", "b c", "new"].map(|name| dice.block(name));
        let on_conflict = if dice.coin() { OnConflict::Keep } else { OnConflict::Replace };
        let merge = Config::parse(&text).merge(&blocks, on_conflict);
        let mut new = lines(&merge.text);
        let kept = lines(&text).all(|old| new.any(|new| new == old));
        assert!(kept || on_conflict == OnConflict::Replace, "{text:?} {:?}", merge.text);
        let config = Config::parse(&merge.text);
        let again = config.merge(&blocks, on_conflict);
        assert_eq!((&again.text, again.added.len(), again.updated.len()), (&merge.text, 0, 0), "{text:?}");
        for wanted in &blocks {
            let conflict = merge.conflicts.iter().any(|conflict| conflict.section == wanted.header(false));
            let there = |key: &str| config.profile(&wanted.name).and_then(|section| section.get(key));
            let reads = wanted.keys.iter().all(|(key, value)| there(key) == Some(value));
            assert!(conflict || reads, "{text:?} {:?}", merge.text);
        }
    }
}

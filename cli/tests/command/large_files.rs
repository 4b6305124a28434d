//! Files with many keys, accounts and rules.

use std::fmt::Write;

use test_support::signer::{QuerySigner, SECRET_KEY};

use crate::run::{AT, run_with, temporary_file, verdicts};

const COUNT: usize = 100_000;

/// Each fault in such a file is looked for from its beginning on: the last table must be as cheap as the first.
#[test]
fn a_hundred_thousand_keys_are_read_all_of_them() {
    let mut keys = String::new();
    for number in 0..COUNT {
        write!(
            keys,
            "[[credential]]\nsecret_id = \"AKID{number:032}\"\nsecret_key = \"{SECRET_KEY}\"\n\
             account = \"{number}\"\n\n"
        )
        .unwrap();
    }
    let file = temporary_file("many-keys.toml", keys.as_bytes());
    let requests = [0, COUNT / 2, COUNT - 1].map(|number| {
        let mut signer = QuerySigner::v2();
        signer.secret_id = format!("AKID{number:032}");
        signer.sign()
    });
    let verdicts = verdicts(file.to_str().unwrap(), &requests, &[]);
    let admitted = verdicts.iter().map(|verdict| &verdict["verdict"]);
    assert_eq!(
        admitted.collect::<Vec<_>>(),
        ["admitted", "admitted", "admitted"]
    );

    let again = format!("{keys}[[credential]]\nsecret_id = \"AKID{:032}\"\n", 0);
    let file = temporary_file("many-keys-and-one.toml", again.as_bytes());
    let file = file.to_str().unwrap();
    let ran = run_with(&["check", "--credentials", file, "--at", AT, "-"], b"");
    assert_eq!(
        ran.stderr,
        format!(
            "{file}:500001: credential.secret_id: expected once; the table on line 1 has the same\n"
        )
    );
}

#[test]
fn a_hundred_thousand_accounts_with_rules_are_read_all_of_them() {
    let mut accounts = String::new();
    for number in 0..COUNT {
        write!(
            accounts,
            "[[account]]\nuin = \"{number}\"\n[[account.rule]]\neffect = \"deny\"\n\
             actions = [\"Terminate*\"]\nresources = [\"*\"]\n"
        )
        .unwrap();
    }
    temporary_file("many-accounts.toml", accounts.as_bytes());
    let last = COUNT - 1;
    let key = format!(
        "[[credential]]\nsecret_id = \"AKIDlast\"\nsecret_key = \"{SECRET_KEY}\"\naccount = \"{last}\"\n\
         [permissions]\nfile = \"command-many-accounts.toml\"\n"
    );
    let file = temporary_file("many-accounts-key.toml", key.as_bytes());
    let requests =
        [("DescribeInstances", "1"), ("TerminateInstances", "2")].map(|(action, nonce)| {
            let mut signer = QuerySigner::v2();
            signer.secret_id = "AKIDlast".to_owned();
            signer.params[0].1 = action.to_owned();
            signer.nonce = nonce.to_owned();
            signer.sign()
        });
    let verdicts = verdicts(file.to_str().unwrap(), &requests, &[]);
    assert_eq!(verdicts[0]["verdict"], "admitted");
    assert_eq!(verdicts[1]["reason"], "action-denied");
}

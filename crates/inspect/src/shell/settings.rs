//! Files of settings in which a command may stand: whose they are.
//!
//! A client that is told to take its settings from a file runs what that file says: a credential helper, a
//! plug-in, a command at the start. Those in the user's home and in `/etc` are there before the text comes
//! and are taken for granted, as the programs are. Anywhere else nobody has read them.

/// Whether a path is one of the user's own or of the system's.
pub(super) fn is_own(path: &str) -> bool {
    const OWN: [&str; 4] = ["~/", "$HOME/", "${HOME}/", "/etc/"];
    !path.split('/').any(|part| part == "..") && OWN.iter().any(|start| path.starts_with(start))
}

/// Whether programs are installed there by the system or by the user.
pub(super) fn is_installation(path: &str) -> bool {
    const INSTALLED: [&str; 5] = ["/usr/", "/opt/", "/nix/", "/snap/", "/Library/"];
    let is_whole = matches!(path, "~" | "$HOME" | "${HOME}");
    is_whole
        || is_own(path)
        || !path.split('/').any(|part| part == "..") && INSTALLED.iter().any(|start| path.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_a_trusted_folder_is_not_trusted() {
        for path in ["~/.kube/config", "$HOME/.docker", "/etc/kubernetes/admin.conf"] {
            assert!(is_own(path), "{path}");
        }
        for path in
            ["/tmp/k", "k", "./k", "~x/k", "/etc/../tmp/k", "~/../../tmp/k", "$HOMES/k", "/etcx/k", ""]
        {
            assert!(!is_own(path), "{path}");
        }
        assert!(is_installation("/usr/lib/jvm/java-17") && !is_installation("/usr/../tmp/j"));
    }
}

//! Services that a gateway asks, as processes of the tests' own: moto for S3 and KMS, Azurite for Azure Blob.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::driver::made;
use crate::gateway::python;
use crate::within;

/// The account that Azurite has, and its key, as its manual prints them.
pub const AZURITE_ACCOUNT: &str = "devstoreaccount1";
/// Its key.
pub const AZURITE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A running service. Dropping it ends the process.
#[derive(Debug)]
pub struct Service {
    child: Child,
    port: u16,
}

/// A port that nobody listens on.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

fn spawn(mut command: Command, port: u16) -> Service {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut service = Service { child, port };
    within(Duration::from_secs(60), "the service listens", &mut || {
        assert!(service.child.try_wait().expect("its state").is_none(), "{command:?} ended");
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    service
}

impl Service {
    /// AWS: S3, KMS and the rest, in memory.
    #[must_use]
    pub fn aws() -> Self {
        let port = free_port();
        let mut command = Command::new(python());
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        spawn(command, port)
    }

    /// Azure Blob Storage with its data in a folder, on a port.
    #[must_use]
    pub fn azure(folder: &Path, port: u16) -> Self {
        let main = made("node", "node_modules/azurite").join("node_modules/azurite/dist/src/blob/main.js");
        let mut command = Command::new("node");
        command.arg(main).arg("--location").arg(folder).args([
            "--blobHost",
            "127.0.0.1",
            "--blobPort",
            &port.to_string(),
            "--silent",
            "--disableTelemetry",
            "--skipApiVersionCheck",
        ]);
        spawn(command, port)
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a bucket of S3; moto asks nobody who they are.
    pub fn make_bucket(&self, name: &str) {
        let said = self.ask(&format!("PUT /{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n"), "");
        assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    }

    /// Makes a container of Azurite's account.
    pub fn make_container(&self, name: &str) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/container.py");
        let done = Command::new(python())
            .args([script, &self.url(), AZURITE_ACCOUNT, AZURITE_KEY, name])
            .status()
            .expect("python");
        assert!(done.success(), "no container");
    }

    /// Asks it by AWS's own library for Python: an expression over the client `aws` and the words `w`.
    fn boto3(&self, service: &str, expression: &str, words: &[&str]) -> String {
        let script = format!(
            "import boto3, sys; w = sys.argv[2:]; aws = boto3.client('{service}', endpoint_url=sys.argv[1], \
             region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x'); print({expression})"
        );
        let ran =
            Command::new(python()).args(["-c", &script, &self.url()]).args(words).output().expect("python");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }

    /// Puts an object into a bucket, whatever is there.
    pub fn put_object(&self, bucket: &str, key: &str, body: &str) {
        self.boto3("s3", "aws.put_object(Bucket=w[0], Key=w[1], Body=w[2].encode())", &[bucket, key, body]);
    }

    /// Makes a key of KMS and gives its ARN.
    #[must_use]
    pub fn make_key(&self) -> String {
        self.boto3("kms", "aws.create_key()['KeyMetadata']['Arn']", &[])
    }

    /// Ends it in an orderly way, so that what it holds is in its folder.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
        assert!(asked.success(), "it had ended");
        within(Duration::from_secs(20), "the service ends", &mut || {
            self.child.try_wait().expect("its state").map(drop)
        });
    }

    /// A request of plain HTTP; gives what came.
    fn ask(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the service");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a deadline");
        write!(stream, "{head}Connection: close\r\n\r\n{body}").expect("a request");
        let mut said = Vec::new();
        stream.read_to_end(&mut said).expect("an answer");
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

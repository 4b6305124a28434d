//! Published proxies as processes, each with its configuration in `examples/proxies`.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use test_support::gateway::eventually;

/// What stands in the place of the addresses and paths that an example names.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a> {
    /// Where the proxy may write. Its certificate is in `tls`.
    pub(crate) folder: &'a Path,
    pub(crate) gateway: SocketAddr,
    pub(crate) service: SocketAddr,
}

impl Places<'_> {
    fn path(self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    fn write(self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.folder.join(name), text).unwrap();
        self.path(name)
    }

    /// An example in which nothing but addresses and paths is replaced, each once.
    fn example(self, name: &str, places: &[(&str, String)]) -> String {
        let mut example = fs::read_to_string(format!("../examples/proxies/{name}")).unwrap();
        for (from, to) in places {
            let is_setting =
                |line: &&str| !line.trim_start().starts_with('#') && line.contains(from);
            assert_eq!(example.lines().filter(is_setting).count(), 1, "{from}");
            let replaced = example.lines().map(|line| {
                if is_setting(&line) {
                    line.replacen(from, to, 1) + "\n"
                } else {
                    line.to_owned() + "\n"
                }
            });
            example = replaced.collect();
        }
        example
    }

    fn certificate(self) -> (&'static str, String) {
        (
            "/etc/ssl/certs/api.example.com.pem",
            self.path("tls/certificate.pem"),
        )
    }

    fn key(self) -> (&'static str, String) {
        (
            "/etc/ssl/private/api.example.com.key",
            self.path("tls/key.pem"),
        )
    }
}

/// A proxy that runs. Ended when it is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Program {
    /// Starts it on a free port.
    fn start(places: Places<'_>, command: impl Fn(SocketAddr) -> Command) -> Self {
        for _ in 0..5 {
            // Free until another program takes it.
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let log = places.folder.join("proxy.log");
            let output = File::create(&log).unwrap();
            let mut command = command(address);
            command
                .current_dir(places.folder)
                .env("HOME", places.folder)
                .stdin(Stdio::null())
                .stdout(output.try_clone().unwrap())
                .stderr(output);
            let child = command.spawn().unwrap_or_else(|error| {
                panic!(
                    "{command:?}: {error}; it is installed by `bash cli/tests/clients/install.sh`"
                )
            });
            let mut program = Self { child, address };
            let mut listens = false;
            eventually("the proxy listens, or ends", || {
                listens = TcpStream::connect(address).is_ok();
                listens || program.child.try_wait().unwrap().is_some()
            });
            if listens {
                return program;
            }
            let log = fs::read_to_string(log).unwrap();
            let taken = log.to_ascii_lowercase().contains("address already in use");
            assert!(taken, "{command:?} did not start: {log}");
        }
        panic!("no port stayed free for a proxy");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn nginx(places: Places<'_>) -> Program {
    Program::start(places, |address| {
        let site = places.example(
            "nginx.conf",
            &[
                ("listen 443", format!("listen {address}")),
                ("127.0.0.1:8082", places.gateway.to_string()),
                ("127.0.0.1:9000", places.service.to_string()),
                places.certificate(),
                places.key(),
            ],
        );
        let site = places.write("site.conf", site);
        // What Debian's `nginx.conf` is to a file in `conf.d`, in one process and without a folder of the system's.
        let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|name| format!("{name}_temp_path {};\n", places.path(name)))
            .collect();
        let around = places.write(
            "nginx.conf",
            format!(
                "daemon off;\nmaster_process off;\npid {};\nevents {{}}\n\
                 http {{\naccess_log off;\n{folders}include {site};\n}}\n",
                places.path("nginx.pid"),
            ),
        );
        let mut command = of_the_system("nginx");
        command.args(["-p", &places.path(""), "-c", &around, "-e", "stderr"]);
        command
    })
}

pub(crate) fn envoy(places: Places<'_>) -> Program {
    Program::start(places, |address| {
        let port = |of: SocketAddr| format!("port_value: {} ", of.port());
        let example = places.example(
            "envoy.yaml",
            &[
                (
                    "address: 0.0.0.0, port_value: 443 ",
                    format!("address: 127.0.0.1, {}", port(address)),
                ),
                ("port_value: 8082 ", port(places.gateway)),
                ("port_value: 9000 ", port(places.service)),
                places.certificate(),
                places.key(),
            ],
        );
        let file = places.write("envoy.yaml", example);
        let mut command = of_a_wheel("envoy");
        command.args(["-c", &file, "--concurrency", "1", "--disable-hot-restart"]);
        command.args(["--log-level", "warning"]);
        command
    })
}

pub(crate) fn traefik(places: Places<'_>) -> Program {
    Program::start(places, |address| {
        let fixed = places.example("traefik.yml", &[(":443", address.to_string())]);
        let file = places.write("traefik.yml", fixed);
        let routes = places.example(
            "traefik-routes.yml",
            &[
                ("127.0.0.1:8082", places.gateway.to_string()),
                ("127.0.0.1:9000", places.service.to_string()),
                places.certificate(),
                places.key(),
            ],
        );
        places.write("traefik-routes.yml", routes);
        let mut command = of_a_wheel("traefik");
        command.arg(format!("--configFile={file}"));
        command
    })
}

pub(crate) fn caddy(places: Places<'_>) -> Program {
    caddy_with(places, |example| example)
}

/// Without the line that keeps clients from naming headers in `Connection`.
pub(crate) fn forgetful_caddy(places: Places<'_>) -> Program {
    caddy_with(places, |example| {
        let line = "request_header -Connection\n";
        assert_eq!(example.matches(line).count(), 1);
        example.replace(line, "")
    })
}

fn caddy_with(places: Places<'_>, edit: fn(String) -> String) -> Program {
    Program::start(places, |address| {
        let example = places.example(
            "Caddyfile",
            &[
                ("https://:443", format!("https://:{}", address.port())),
                ("127.0.0.1:8082", places.gateway.to_string()),
                ("127.0.0.1:9000", places.service.to_string()),
                places.certificate(),
                places.key(),
            ],
        );
        let file = places.write("Caddyfile", edit(example));
        let mut command = of_a_wheel("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config", &file]);
        command
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME");
        command
    })
}

pub(crate) fn haproxy(places: Places<'_>) -> Program {
    Program::start(places, |address| {
        let read = |name| fs::read(places.path(name)).unwrap();
        let both = [read("tls/certificate.pem"), read("tls/key.pem")].concat();
        let certificate = places.write("both.pem", both);
        let example = places.example(
            "haproxy.cfg",
            &[
                ("bind :443", format!("bind {address}")),
                ("127.0.0.1:8081", places.gateway.to_string()),
                ("/etc/ssl/private/api.example.com.pem", certificate),
            ],
        );
        let file = places.write("haproxy.cfg", example);
        let mut command = of_the_system("haproxy");
        command.args(["-db", "-f", &file]);
        command
    })
}

pub(crate) fn apache(places: Places<'_>) -> Program {
    Program::start(places, |address| {
        let example = places.example(
            "apache.conf",
            &[
                ("*:443", address.to_string()),
                ("127.0.0.1:8081", places.gateway.to_string()),
                places.certificate(),
                places.key(),
            ],
        );
        let site = places.write("site.conf", example);
        // What Debian's `apache2.conf` is to a site that is enabled.
        let modules = [
            "mpm_event",
            "authz_core",
            "headers",
            "proxy",
            "proxy_http",
            "socache_shmcb",
            "ssl",
        ];
        let modules: String = modules
            .iter()
            .map(|name| {
                format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
            })
            .collect();
        let around = places.write(
            "apache2.conf",
            format!(
                "ServerRoot {0}\nDefaultRuntimeDir {0}\nPidFile {0}/apache.pid\nErrorLog /dev/stderr\n\
                 ServerName localhost\nUser nobody\nGroup nogroup\nListen {address}\n{modules}Include {site}\n",
                places.path(""),
            ),
        );
        let mut command = of_the_system("apache2");
        // In one process, which does not detach.
        command.args(["-X", "-f", &around]);
        command
    })
}

fn of_the_system(name: &str) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{path}:/usr/sbin"));
    command
}

/// Of `tests/clients/proxies`.
fn of_a_wheel(name: &str) -> Command {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients");
    Command::new(target.join("proxies/bin").join(name))
}

//! Fetches pages from a server with several threads and processes them with several others.
//!
//! ```text
//! cargo run --example fetch
//! ```
//!
//! ```text
//!     main --put--> [ paths ] --lease--> fetcher (4) --put--> [ pages ] --get--> reader (2)
//!                    join: all fetched                                               |
//!                                                                   main <-- tasks --+
//! ```
//!
//! The queues are bounded: fetchers that are faster than the readers wait for them. The end is
//! announced by shutting a queue down; no consumer is counted, and no sentinel is put.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use brigade::{Queue, Shutdown, ThreadPool};

const PAGES: usize = 40;
const FETCHERS: usize = 4;
const READERS: usize = 2;
/// No page takes as long on the loopback interface.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let server = listener.local_addr()?;
    let paths: Queue<String> = Queue::bounded(8);
    let pages: Queue<(String, io::Result<String>)> = Queue::bounded(8);

    let pool = ThreadPool::builder()
        .threads(1 + FETCHERS + READERS)
        .name("fetch")
        .build()?;
    pool.scope(|scope| {
        scope.submit(|| serve(&listener, PAGES + 1));
        for _ in 0..FETCHERS {
            scope.submit(|| {
                // A lease is finished when it is dropped, after its page has been put.
                for path in std::iter::from_fn(|| paths.lease().ok()) {
                    let page = fetch(server, &path);
                    if pages.put((path.clone(), page)).is_err() {
                        break;
                    }
                }
            });
        }
        let readers: Vec<_> = (0..READERS)
            .map(|_| scope.submit(|| read(&pages)))
            .collect();

        paths.put_many((0..PAGES).map(|number| format!("/page/{number}")))?;
        paths.put("/missing".into())?;
        paths.join(); // all fetched
        paths.shutdown(Shutdown::Drain); // the fetchers end
        pages.shutdown(Shutdown::Drain); // the readers end when they have read the rest

        let mut titles = BTreeMap::new();
        for reader in readers {
            titles.extend(reader.result()?);
        }
        for (path, title) in &titles {
            println!("{path}: {title}");
        }
        println!("{} pages", titles.len());
        Ok(())
    })
}

/// What the pages are called, or why that is not known.
fn read(pages: &Queue<(String, io::Result<String>)>) -> Vec<(String, String)> {
    let title = |page: &str| {
        let (_, rest) = page.split_once("<title>")?;
        let (title, _) = rest.split_once("</title>")?;
        Some(title.to_owned())
    };
    pages
        .iter()
        .map(|(path, page)| match page {
            Ok(page) => (
                path,
                title(&page).unwrap_or_else(|| "without a title".into()),
            ),
            Err(error) => (path, format!("not fetched: {error}")),
        })
        .collect()
}

/// Gets one page by HTTP.
fn fetch(server: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, page)) if head.starts_with("HTTP/1.0 200 ") => Ok(page.to_owned()),
        Some((head, _)) => Err(io::Error::other(
            head.lines().next().unwrap_or_default().to_owned(),
        )),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The server: answers so many requests.
fn serve(listener: &TcpListener, requests: usize) {
    for stream in listener.incoming().take(requests) {
        if let Err(error) = stream.and_then(answer) {
            eprintln!("server: {error}");
        }
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    request.read_line(&mut line)?;
    // The rest of the head, so that closing the connection does not cut off the answer.
    let mut header = String::new();
    while request.read_line(&mut header)? > 2 {
        header.clear();
    }
    match line
        .split(' ')
        .nth(1)
        .and_then(|path| path.strip_prefix("/page/"))
    {
        Some(number) => write!(
            stream,
            "HTTP/1.0 200 OK\r\n\r\n<html><title>Page number {number}</title></html>"
        ),
        None => write!(stream, "HTTP/1.0 404 Not Found\r\n\r\n"),
    }
}

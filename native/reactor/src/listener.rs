//! Listening sockets: binding them, and accepting within the limits.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::{ListenerConfig, ListenerKind};

const BACKLOG: i32 = 1024;
/// How often a free port is looked for that both addresses of localhost can have.
const PORT_TRIES: usize = 20;

/// One bound address.
pub struct Acceptor {
    pub socket: mio::net::TcpListener,
    pub listener: u8,
    pub kind: ListenerKind,
}

/// Binds all addresses of a listener to one port and returns that port.
pub fn bind(config: &ListenerConfig) -> io::Result<(Vec<Acceptor>, u16)> {
    let mut tries = PORT_TRIES;
    loop {
        match bind_all(config) {
            // A free port of the first address may be taken on the second.
            Err(error)
                if config.port == 0 && error.kind() == io::ErrorKind::AddrInUse && tries > 0 =>
            {
                tries -= 1;
            }
            result => return result,
        }
    }
}

fn bind_all(config: &ListenerConfig) -> io::Result<(Vec<Acceptor>, u16)> {
    let mut port = config.port;
    let mut acceptors = Vec::new();
    for (i, address) in addresses(&config.host)?.into_iter().enumerate() {
        let is_optional = i > 0;
        let socket = match bind_one(SocketAddr::new(address, port)) {
            Ok(socket) => socket,
            // A machine without IPv6 has no ::1.
            Err(error) if is_optional && error.kind() != io::ErrorKind::AddrInUse => continue,
            Err(error) => return Err(error),
        };
        port = socket.local_addr()?.as_socket().map_or(port, |address| address.port());
        let socket = mio::net::TcpListener::from_std(socket.into());
        acceptors.push(Acceptor { socket, listener: config.id, kind: config.kind });
    }
    Ok((acceptors, port))
}

fn addresses(host: &str) -> io::Result<Vec<IpAddr>> {
    match host {
        "localhost" => Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
        // A machine without IPv6 has no socket for ::, which takes IPv4 too.
        "" if Socket::new(Domain::IPV6, Type::STREAM, None).is_err() => {
            Ok(vec![Ipv4Addr::UNSPECIFIED.into()])
        }
        "" => Ok(vec![Ipv6Addr::UNSPECIFIED.into()]),
        host => {
            let mut found = (host, 0).to_socket_addrs()?;
            let first = found.next().ok_or(io::Error::from(io::ErrorKind::AddrNotAvailable))?;
            Ok(vec![first.ip()])
        }
    }
}

fn bind_one(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if let SocketAddr::V6(v6) = address {
        // The unspecified address takes IPv4 too; ::1 is one of two sockets.
        socket.set_only_v6(!v6.ip().is_unspecified())?;
    }
    socket.set_reuse_address(true)?;
    // Accepted connections have both from their listener.
    socket.set_tcp_nodelay(true)?;
    socket.set_keepalive(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// How many connections there are, in all and from each address.
pub struct ConnectionCounts {
    counts: Mutex<Counts>,
    max: usize,
    max_per_ip: usize,
}

#[derive(Default)]
struct Counts {
    all: usize,
    by_ip: HashMap<IpAddr, usize>,
}

impl ConnectionCounts {
    pub fn new(max: usize, max_per_ip: usize) -> Arc<Self> {
        Arc::new(Self { counts: Mutex::default(), max, max_per_ip })
    }

    /// Counts one more connection from `ip` until what it returns is dropped; `None` beyond a limit.
    pub fn admit(self: &Arc<Self>, ip: IpAddr) -> Option<Admission> {
        let ip = ip.to_canonical();
        let mut guard = self.counts.lock();
        let counts = &mut *guard;
        let from_ip = counts.by_ip.get(&ip).copied().unwrap_or(0);
        if counts.all >= self.max || from_ip >= self.max_per_ip {
            return None;
        }
        counts.all += 1;
        counts.by_ip.insert(ip, from_ip + 1);
        Some(Admission { counts: Arc::clone(self), ip })
    }
}

/// One counted connection.
pub struct Admission {
    counts: Arc<ConnectionCounts>,
    ip: IpAddr,
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut counts = self.counts.counts.lock();
        counts.all -= 1;
        if let Some(count) = counts.by_ip.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                counts.by_ip.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(host: &str) -> ListenerConfig {
        ListenerConfig { id: 1, kind: ListenerKind::Kafka, host: host.to_owned(), port: 0 }
    }

    #[test]
    fn localhost_has_one_port_on_both_addresses() {
        let (acceptors, port) = bind(&config("localhost")).unwrap();
        assert!(port > 0);
        for acceptor in &acceptors {
            assert_eq!(acceptor.socket.local_addr().unwrap().port(), port);
        }
        let taken = ListenerConfig { port, ..config("127.0.0.1") };
        let error = bind(&taken).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn an_empty_host_takes_both_families_on_one_port() {
        let (acceptors, port) = bind(&config("")).unwrap();
        assert_eq!(acceptors.len(), 1);
        let connect = |host: &str| std::net::TcpStream::connect((host, port));
        connect("127.0.0.1").unwrap();
        let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
        assert_eq!(connect("::1").is_ok(), has_ipv6);
        let taken = ListenerConfig { port, ..config("") };
        assert_eq!(bind(&taken).err().unwrap().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn limits_hold_and_are_released() {
        let counts = ConnectionCounts::new(2, 1);
        let a = counts.admit("127.0.0.1".parse().unwrap()).unwrap();
        assert!(counts.admit("::ffff:127.0.0.1".parse().unwrap()).is_none());
        let _b = counts.admit("::1".parse().unwrap()).unwrap();
        drop(a);
        assert!(counts.admit("127.0.0.2".parse().unwrap()).is_some());
    }
}

// Sends itself 64 KiB over loopback, again and again, as an attacker does with what it sends; ends with its parent.
import { connect, createServer } from 'node:net';

const PIECE = Buffer.alloc(64 << 10);
const parent = process.ppid;

const server = createServer((taker) => taker.resume());
server.listen(0, '127.0.0.1', () => {
  const socket = connect(server.address().port, '127.0.0.1');
  const again = () => {
    if (process.ppid !== parent) process.exit();
    socket.write(PIECE, again);
  };
  again();
});

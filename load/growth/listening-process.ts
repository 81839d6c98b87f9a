import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** @returns the process on this machine that listens on a TCP port; undefined if there is none */
export function listeningProcess(port: number): number | undefined {
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeners(table, port));
  const sockets = inodes.map((inode) => `socket:[${inode}]`);
  return processes().find((pid) => openFiles(pid).some((file) => sockets.includes(file)));
}

/** Inodes of the sockets that listen on a port, by a table in the form of proc(5). */
function listeners(table: string, port: number): string[] {
  const localPort = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const [, ...lines] = readFileSync(table, 'utf8').trim().split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(localPort) && state === '0A') // LISTEN
    .map((fields) => fields[9] ?? '');
}

function processes(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** What a process's descriptors refer to; none when it has ended, or belongs to another user. */
function openFiles(pid: number): string[] {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).map((name) => readlinkSync(`${folder}/${name}`));
  } catch {
    return [];
  }
}

import { fstatSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Lines gather up to this, in characters, and so long, in ms. */
const gatherChars = 4096;
const gatherMs = 100;

/**
 * Characters that wait for a reader that has stopped: some 5,000 lines. What comes then is dropped and
 * counted: logs must not stop the service, nor fill its memory.
 */
const maxWaiting = 1024 * 1024;

/** How long the end of the process waits for its last lines to be read, in ms. */
const lastLinesMs = 500;

/**
 * Standard output for lines of a log. A pipe is written without blocking; a file or a terminal at
 * once, whatever it answers: a full disk, or a terminal that is gone, costs lines and nothing else.
 */
export function openOutput() {
  const isPipe = (() => {
    try {
      const kind = fstatSync(1);
      return kind.isFIFO() || kind.isSocket();
    } catch {
      return false; // closed
    }
  })();
  if (isPipe) process.stdout.on('error', () => {});

  let gathered = '';
  let lines = 0;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (gathered === '') return;
    const text = dropped === 0 ? gathered : `${droppedLine(dropped)}${gathered}`;
    const isTaken = isPipe ? push(text) : writeNow(text);
    dropped = isTaken ? 0 : dropped + lines;
    gathered = '';
    lines = 0;
  }

  process.on('exit', () => {
    // pipes are not blocking: this writes what they take now
    if (process.stdout.writableLength === 0 && gathered) writeNow(gathered);
  });

  return {
    write(line: string): void {
      gathered += line;
      lines++;
      if (gathered.length >= gatherChars) flush();
      else timer ??= setTimeout(flush, gatherMs).unref();
    },
    /** Writes what has gathered, and waits half a second at most until it is read. */
    async end(): Promise<void> {
      flush();
      if (!isPipe || process.stdout.writableLength === 0) return;
      const read = new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
      await Promise.race([read, sleep(lastLinesMs)]);
    },
  };
}

function push(text: string): boolean {
  if (process.stdout.destroyed || process.stdout.writableLength + text.length > maxWaiting) {
    return false;
  }
  process.stdout.write(text);
  return true;
}

function writeNow(text: string): boolean {
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(1, bytes, written);
    return true;
  } catch {
    return false;
  }
}

function droppedLine(count: number): string {
  const time = new Date().toISOString();
  const msg = `${count} lines before this one could not be written and were dropped`;
  return `${JSON.stringify({ level: 'warn', time, msg })}\n`;
}

import { fstatSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Lines are buffered up to this many characters, for at most this many ms. */
const maxBufferedChars = 4096;
const flushIntervalMs = 100;

/**
 * Characters kept for a reader that has stopped: some 5,000 lines. Later lines are dropped and
 * counted: logging must neither stop the service nor fill its memory.
 */
const maxBacklogChars = 1024 * 1024;

/** How long the process waits at its end until its last lines are read, in ms. */
const finalFlushMs = 500;

/**
 * Standard output for log lines. A pipe is written without blocking; a file or a terminal is written
 * synchronously, and errors are ignored: a full disk, or a terminal that is gone, only costs lines.
 */
export function openOutput() {
  const isPipe = (() => {
    try {
      const stats = fstatSync(1);
      return stats.isFIFO() || stats.isSocket();
    } catch {
      return false; // closed
    }
  })();
  if (isPipe) process.stdout.on('error', () => {});

  let buffered = '';
  let bufferedLines = 0;
  let droppedLines = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (buffered === '') return;
    const text = droppedLines === 0 ? buffered : `${droppedMessage(droppedLines)}${buffered}`;
    const isWritten = isPipe ? writeToPipe(text) : writeSynchronously(text);
    droppedLines = isWritten ? 0 : droppedLines + bufferedLines;
    buffered = '';
    bufferedLines = 0;
  }

  process.on('exit', () => {
    // a pipe is non-blocking: this writes as much as it takes now
    if (process.stdout.writableLength === 0 && buffered) writeSynchronously(buffered);
  });

  return {
    write(line: string): void {
      buffered += line;
      bufferedLines++;
      if (buffered.length >= maxBufferedChars) flush();
      else timer ??= setTimeout(flush, flushIntervalMs).unref();
    },
    /** Writes the buffered lines, and waits up to half a second until they are read. */
    async end(): Promise<void> {
      flush();
      if (!isPipe || process.stdout.writableLength === 0) return;
      const read = new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
      await Promise.race([read, sleep(finalFlushMs)]);
    },
  };
}

/** @returns false if the text was dropped */
function writeToPipe(text: string): boolean {
  const { destroyed, writableLength } = process.stdout;
  if (destroyed || writableLength + text.length > maxBacklogChars) return false;
  process.stdout.write(text);
  return true;
}

/** @returns false if not all of the text was written */
function writeSynchronously(text: string): boolean {
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(1, bytes, written);
    return true;
  } catch {
    return false;
  }
}

function droppedMessage(count: number): string {
  const time = new Date().toISOString();
  const msg = `${count} lines before this one could not be written and were dropped`;
  return `${JSON.stringify({ level: 'warn', time, msg })}\n`;
}

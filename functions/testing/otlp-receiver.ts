import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

// Receives traces as a collector does, by OTLP/HTTP in protobuf:
// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto

type Attributes = Record<string, unknown>;

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** Empty for the first span of a trace. */
  parentSpanId: string;
  traceState: string;
  name: string;
  /** 2 for a server, 3 for a client. */
  kind: number;
  durationMs: number;
  attributes: Attributes;
  events: { name: string; attributes: Attributes }[];
  links: { traceId: string; spanId: string }[];
  /** 0 if unset, 2 for an error. */
  status: number;
  /** The attributes of the process that sent it. */
  resource: Attributes;
}

export interface OtlpReceiver {
  /** To be set as OTEL_EXPORTER_OTLP_ENDPOINT. */
  url: string;
  /** What was received, in order. */
  spans: ReceivedSpan[];
  /** The headers of each request. */
  headers: IncomingHttpHeaders[];
  /** What it responds with, initially 200. What it refuses is not in `spans`. */
  status: number;
  close(): void;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const server = createServer(async (req, res) => {
    const body = await buffer(req);
    if (req.method !== 'POST' || req.url !== '/v1/traces') return res.writeHead(404).end();
    receiver.headers.push(req.headers);
    const isGzip = req.headers['content-encoding'] === 'gzip';
    const spans = parseTraces(isGzip ? gunzipSync(body) : body);
    if (receiver.status === 200) receiver.spans.push(...spans);
    res.writeHead(receiver.status, { 'Content-Type': 'application/x-protobuf' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    headers: [],
    status: 200,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return receiver;
}

/** Decodes an ExportTraceServiceRequest. */
function parseTraces(body: Buffer): ReceivedSpan[] {
  return parseMessage(body)
    .messages(1)
    .flatMap((resourceSpans) => {
      const resource = attributesOf(resourceSpans.messages(1)[0]);
      const scopes = resourceSpans.messages(2);
      return scopes.flatMap((scope) => scope.messages(2).map((span) => toSpan(span, resource)));
    });
}

function toSpan(span: Message, resource: Attributes): ReceivedSpan {
  return {
    traceId: span.hex(1),
    spanId: span.hex(2),
    traceState: span.text(3),
    parentSpanId: span.hex(4),
    name: span.text(5),
    kind: Number(span.number(6)),
    durationMs: Number(span.number(8) - span.number(7)) / 1e6,
    attributes: attributesOf(span, 9),
    events: span.messages(11).map((event) => ({
      name: event.text(2),
      attributes: attributesOf(event, 3),
    })),
    links: span.messages(13).map((link) => ({ traceId: link.hex(1), spanId: link.hex(2) })),
    status: Number(span.messages(15)[0]?.number(3) ?? 0),
    resource,
  };
}

/** @param field the number of the field that repeats KeyValue */
function attributesOf(message: Message | undefined, field = 1): Attributes {
  const entries = message?.messages(field) ?? [];
  return Object.fromEntries(
    entries.map((entry) => [entry.text(1), toValue(entry.messages(2)[0] as Message)]),
  );
}

/** A string, a boolean or a whole number. */
function toValue(any: Message): unknown {
  if (any.has(1)) return any.text(1);
  if (any.has(2)) return any.number(2) === 1n;
  return any.has(3) ? Number(any.number(3)) : undefined;
}

/** The fields of a protobuf message, by number. */
interface Message {
  has(field: number): boolean;
  number(field: number): bigint;
  text(field: number): string;
  hex(field: number): string;
  messages(field: number): Message[];
}

/** https://protobuf.dev/programming-guides/encoding/ */
function parseMessage(bytes: Buffer): Message {
  const fields = new Map<number, (bigint | Buffer)[]>();
  let at = 0;

  function varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  function chunk(length: number): Buffer {
    if (at + length > bytes.length) throw new Error('a field ends after its message');
    at += length;
    return bytes.subarray(at - length, at);
  }

  function value(wireType: number): bigint | Buffer {
    if (wireType === 0) return varint();
    if (wireType === 1) return chunk(8).readBigUInt64LE();
    if (wireType === 2) return chunk(Number(varint()));
    if (wireType === 5) return BigInt(chunk(4).readUInt32LE());
    throw new Error(`wire type ${wireType}`);
  }

  while (at < bytes.length) {
    const tag = Number(varint());
    const values = fields.get(tag >> 3) ?? [];
    values.push(value(tag & 7));
    fields.set(tag >> 3, values);
  }
  const buffers = (field: number) => (fields.get(field) ?? []) as Buffer[];
  return {
    has: (field) => fields.has(field),
    number: (field) => (fields.get(field)?.at(-1) ?? 0n) as bigint,
    text: (field) => buffers(field).at(-1)?.toString('utf8') ?? '',
    hex: (field) => buffers(field).at(-1)?.toString('hex') ?? '',
    messages: (field) => buffers(field).map(parseMessage),
  };
}

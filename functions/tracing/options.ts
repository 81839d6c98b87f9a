import * as z from 'zod/mini';
import { wholeNumber } from '../runtime/whole-number';

/** Where traces are sent. */
export interface TracingOptions {
  /** Without path and credentials. */
  collector: string;
}

const endpoint = z.optional(
  z.url({ protocol: /^https?$/, error: 'must look like http://localhost:4318' }),
);
const protocol = z.optional(
  z.literal('http/protobuf', 'must be http/protobuf, the only protocol that is supported'),
);

const samplers = ['always_on', 'always_off', 'traceidratio'];
const allSamplers = [...samplers, ...samplers.map((name) => `parentbased_${name}`)];

/** OpenTelemetry reads these itself, and ignores what is invalid. So they are only checked here. */
const schema = z.object({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol,
  OTEL_EXPORTER_OTLP_TIMEOUT: z.optional(wholeNumber(1, 600_000)),
  OTEL_TRACES_SAMPLER: z.optional(z.enum(allSamplers, `must be one of ${allSamplers.join(', ')}`)),
  OTEL_TRACES_SAMPLER_ARG: z.optional(
    z.string().check(z.regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a number from 0 to 1')),
  ),
  OTEL_RESOURCE_ATTRIBUTES: z.optional(
    z
      .string()
      .check(
        z.regex(
          /^[^=,]+=[^=,]*(,[^=,]+=[^=,]*)*$/,
          'must look like name=value,name=value, with other = and , as %3D and %2C',
        ),
      ),
  ),
});

/**
 * Checks OpenTelemetry's variables, if one of them says where traces are sent to.
 *
 * @returns undefined if there are to be no traces
 */
export function checkTracing(
  env: Record<string, string | undefined>,
): { tracing?: TracingOptions; problems: string[] } | undefined {
  const url = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const isDisabled = env.OTEL_SDK_DISABLED?.toLowerCase() === 'true';
  if (!url || isDisabled || env.OTEL_TRACES_EXPORTER === 'none') return undefined;
  const { success, error } = schema.safeParse(env);
  if (success) return { tracing: { collector: new URL(url).origin }, problems: [] };
  return { problems: error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) };
}

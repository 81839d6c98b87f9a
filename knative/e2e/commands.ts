import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The namespace of the end-to-end test, which is deleted before and after it. */
export const namespace = process.env.NAMESPACE || 'functions-e2e';

/** The namespace of the step that deploys by hand. */
export const handmade = `${namespace}-by-hand`;

/** The environment of all commands. */
export const env: NodeJS.ProcessEnv = { ...process.env, NAMESPACE: namespace };

/** Whether an opt-in component, such as `mongo/tls`, is deployed. */
export function hasComponent(name: string): boolean {
  return (env.COMPONENTS ?? '').split(/\s+/).includes(name);
}

/**
 * Runs a program.
 *
 * @returns its standard output
 * @throws Error with its output when it fails
 */
export async function run(command: string, ...args: string[]): Promise<string> {
  const options = { env, maxBuffer: 2 ** 26 };
  const { stdout } = await promisify(execFile)(command, args, options).catch((error) => {
    throw new Error(
      `${command} ${args.join(' ')}: ${error.stderr || error.stdout || error.message}`,
    );
  });
  return stdout;
}

/** Builds and pushes an image, unless `IMAGE` is one that is already pushed. */
export async function provideImage(): Promise<void> {
  if (process.env.IMAGE) return;
  env.IMAGE = (await run('knative/deploy/image.sh')).trim().split('\n').at(-1);
}

/** Runs kubectl in the namespace. */
export function kubectl(...args: string[]): Promise<string> {
  return run('kubectl', '--namespace', namespace, ...args);
}

/** Runs a command in a pod. */
export function execInPod(pod: string, ...command: string[]): Promise<string> {
  return kubectl('exec', pod, '--', ...command);
}

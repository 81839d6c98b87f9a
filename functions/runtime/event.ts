import type { AsyncLocalStorage } from 'node:async_hooks';
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { log } from './log';

/** Something that the service reports while it runs. Costs next to nothing while nobody listens. */
export interface Event<Message> {
  readonly name: string | symbol;
  /** False while nobody listens, so that no message need be made. */
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
  /** Publishes a message, and calls a function in the context that is bound to it (see `bind`). */
  runStores<Result>(message: Message, call: () => Result): Result;
}

/** @param name unique in the process, as it is that of a channel of `node:diagnostics_channel` */
export function event<Message>(name: string): Event<Message> {
  return channel(`functions.${name}`) as Event<unknown> as Event<Message>;
}

/**
 * Calls a listener for each message, before the service goes on. A listener that throws is not called
 * again.
 *
 * @returns a function that ends this
 */
export function listen<Message>(
  { name }: Event<Message>,
  listener: (message: Message) => void,
): () => void {
  const end = () => void unsubscribe(name, onMessage);
  function onMessage(message: unknown): void {
    try {
      listener(message as Message);
    } catch (err) {
      end();
      log.error({ err }, `a listener of ${String(name)} failed, and is not called again`);
    }
  }
  subscribe(name, onMessage);
  return end;
}

/**
 * Gives a context to what is called with an event's `runStores`, and to all that this waits for.
 *
 * @param contextOf makes the context of a message. If it throws, it is not called again
 * @returns a function that ends this
 */
export function bind<Message, Context>(
  { name }: Event<Message>,
  storage: AsyncLocalStorage<Context | undefined>,
  contextOf: (message: Message) => Context | undefined,
): () => void {
  const target = channel(name);
  const end = () => void target.unbindStore(storage);
  target.bindStore(storage, (message) => {
    try {
      return contextOf(message as Message);
    } catch (err) {
      end();
      log.error({ err }, `the context of ${String(name)} failed, and is not made again`);
      return undefined;
    }
  });
  return end;
}

import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { log } from './log';

/** Something that the service reports while it runs. Costs next to nothing while nobody listens. */
export interface Event<Message> {
  readonly name: string | symbol;
  /** False while nobody listens, so that no message need be made. */
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
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

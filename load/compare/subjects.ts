import type { VariantName } from '../common/cluster';
import { millicores } from '../common/millicores';

/** What is put under load: this service or a peer, on one platform, with one policy of its autoscaler. */
export interface Subject {
  name: string;
  software: Software;
  platform: VariantName;
  /** Annotations that replace those of the Knative Service. */
  annotations?: Record<string, string>;
  /** Whether the HPA has Kubernetes' default behavior instead of the manifests'. */
  defaultBehavior?: boolean;
}

export type Software = 'this service' | Peer;
export type Peer = 'functions-framework' | 'faas-js-runtime';

const burst = 'autoscaling.knative.dev/target-burst-capacity';
const ours: Subject[] = [
  { name: 'Knative', software: 'this service', platform: 'knative' },
  {
    name: 'Knative, burst capacity 0',
    ...{ software: 'this service', platform: 'knative', annotations: { [burst]: '0' } },
  },
  {
    name: 'Knative, burst capacity -1',
    ...{ software: 'this service', platform: 'knative', annotations: { [burst]: '-1' } },
  },
  { name: 'HPA', software: 'this service', platform: 'hpa' },
  {
    name: "HPA, Kubernetes' default behavior",
    ...{ software: 'this service', platform: 'hpa', defaultBehavior: true },
  },
];

export const knativeSubject = ours[0] as Subject;
export const hpaSubject = ours[3] as Subject;

/** Subjects that can't differ within a run, by autoscaler: what they differ by is noise. */
export const alike = {
  knative: [knativeSubject, ours[2] as Subject],
  hpa: [hpaSubject, ours[4] as Subject],
};

/** How the peers run in their image, and where they serve what this service does at other paths. */
export const peers: Record<
  Peer,
  { args: string[]; probe: string; paths?: Record<string, string> }
> = {
  'functions-framework': { args: ['--target=app'], probe: '/time' },
  'faas-js-runtime': {
    args: ['--port=8080', 'index.js'],
    probe: '/?time',
    paths: { TIME_PATH: '/?time', DATA_PATH: '/', READY_PATH: '/health/readiness' },
  },
};

export const isPeer = (software: Software): software is Peer => software !== 'this service';

/** The settings of an experiment, from the environment. */
export interface Settings {
  /** The CPU of a replica, in millicores; undefined for that of the manifests. */
  cpu?: { request: number; limit: number };
  /** The image of the peers, made by load/bench/peers/Dockerfile; without it, they don't take part. */
  peersImage?: string;
  rounds: number;
  /** Decides the order of the runs. */
  seed: number;
}

/** @throws Error that says how a setting is written */
export function readSettings(env = process.env): Settings {
  const { CPU, PEERS_IMAGE, ROUNDS = '3', SEED } = env;
  const cpu = CPU === undefined ? undefined : /^(\d+m?)\/(\d+m?)$/.exec(CPU);
  if (cpu === null) throw new Error(`CPU is "${CPU}": write request/limit, such as 60m/150m.`);
  return {
    ...(cpu && { cpu: { request: millicores(cpu[1] ?? ''), limit: millicores(cpu[2] ?? '') } }),
    ...(PEERS_IMAGE && { peersImage: PEERS_IMAGE }),
    rounds: wholeNumber('ROUNDS', ROUNDS, 1),
    seed: wholeNumber('SEED', SEED ?? `${Math.floor(Math.random() * 1e6)}`, 0),
  };
}

/** @throws Error that says how it is written */
export function wholeNumber(name: string, text: string, least: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && text !== '') return number;
  throw new Error(`${name} is "${text}": write a whole number, at least ${least}.`);
}

/** This service under all policies, and the peers, if they have an image, under the manifests' policies. */
export function chooseSubjects({ peersImage }: Settings): Subject[] {
  if (!peersImage) return ours;
  const withPeers = (Object.keys(peers) as Peer[]).flatMap((software) => [
    { ...knativeSubject, name: `${software}, Knative`, software },
    { ...hpaSubject, name: `${software}, HPA`, software },
  ]);
  return [...ours, ...withPeers];
}

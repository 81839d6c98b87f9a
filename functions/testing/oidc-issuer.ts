import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a test wants of oidc-provider, which has no types. */
interface Provider {
  callback(): (req: IncomingMessage, res: ServerResponse) => void;
}

/** An OIDC issuer that signs access tokens for the audience `functions`. */
export interface OidcIssuer {
  url: string;
  /** Makes a token with some scopes, or none. */
  token(scope?: string): Promise<string>;
  /** From now on signs with a new key, and publishes it beside those before. */
  rotate(): void;
  /** Answers with 503 until `resume`. */
  pause(): void;
  resume(): void;
  /** How often the keys were asked for. */
  keyRequests(): number;
  close(): Promise<void>;
}

const scopes = ['time:read', 'data:read', 'data:write'].join(' ');

/** Starts oidc-provider. It is certified by the OpenID Foundation, and keeps everything in memory. */
export async function startOidcIssuer(): Promise<OidcIssuer> {
  const { Provider } = require('oidc-provider');
  let keys: object[] = [];
  let provider: Provider;
  let isPaused = false;
  let keyRequests = 0;
  const server = createServer((req, res) => {
    if (isPaused) return void res.writeHead(503).end();
    if (req.url === '/jwks') {
      keyRequests++;
      // the API server of Kubernetes has keys in no other type
      if (!req.headers.accept?.includes('application/jwk-set+json')) {
        return void res.writeHead(406).end();
      }
    }
    provider.callback()(req, res);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function rotate(): void {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig' };
    keys = [{ ...key, alg: 'ES256' }, ...keys];
    provider = new Provider(url, {
      jwks: { keys },
      clients: [
        {
          client_id: 'caller',
          client_secret: 'a secret of the test',
          grant_types: ['client_credentials'],
          response_types: [],
          redirect_uris: [],
          id_token_signed_response_alg: 'ES256',
        },
      ],
      scopes: scopes.split(' '),
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => 'urn:functions',
          getResourceServerInfo: () => ({
            scope: scopes,
            audience: 'functions',
            accessTokenFormat: 'jwt',
            accessTokenTTL: 300,
            jwt: { sign: { alg: 'ES256' } },
          }),
        },
      },
    });
  }
  rotate();

  return {
    url,
    rotate,
    async token(scope) {
      const response = await fetch(`${url}/token`, {
        method: 'POST',
        headers: { Authorization: `Basic ${btoa('caller:a+secret+of+the+test')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) }),
      });
      const body = await response.json();
      if (!response.ok) throw new Error(JSON.stringify(body));
      return body.access_token;
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
    },
    keyRequests: () => keyRequests,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What a RabbitMQ of ours is told: its settings, and who may do what in it. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';

const LOOPBACK = '127.0.0.1';
/** Of what a queue's message may be; RabbitMQ would take 128 MiB. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const SALT_BYTES = 4;

/** Patterns over names of queues and exchanges, as RabbitMQ's access control has them; `''` is nothing, `.*` everything. */
export type RabbitMqPermission = Readonly<{ configure: string; write: string; read: string }>;

export type RabbitMqUser = Readonly<{
  name: string;
  password: string;
  /** In the one virtual host, `/`. */
  permission: RabbitMqPermission;
}>;

export type RabbitMqFiles = Readonly<{ dir: string; certFile: string; keyFile: string; definitionsFile: string }>;

/** The file `rabbitmq.conf`: TLS on one port of loopback, nothing else listens for clients. */
export function rabbitMqConf(port: number, files: RabbitMqFiles): string {
  const settings = {
    'listeners.tcp': 'none',
    'listeners.ssl.default': `${LOOPBACK}:${port}`,
    'ssl_options.certfile': files.certFile,
    'ssl_options.keyfile': files.keyFile,
    // Clients show a password.
    'ssl_options.verify': 'verify_none',
    'ssl_options.fail_if_no_peer_cert': 'false',
    'ssl_options.versions.1': 'tlsv1.3',
    'ssl_options.versions.2': 'tlsv1.2',
    load_definitions: files.definitionsFile,
    max_message_size: String(MAX_MESSAGE_BYTES),
    'log.console': 'true',
    'log.console.level': 'info',
    'log.file': 'false',
    'disk_free_limit.absolute': '50MB',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

/** Definitions that the server imports when it starts; without them it would make a user `guest` whose password is known. */
export function rabbitMqDefinitions(users: readonly RabbitMqUser[]): object {
  return {
    vhosts: [{ name: '/' }],
    users: users.map(({ name, password }) => ({
      name,
      password_hash: passwordHash(password, randomBytes(SALT_BYTES)),
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags: [],
    })),
    permissions: users.map(({ name, permission }) => ({ user: name, vhost: '/', ...permission })),
  };
}

/** Base64 of the salt and SHA-256(salt ‖ password), as RabbitMQ documents it ("Credentials and Passwords"). */
export function passwordHash(password: string, salt: Uint8Array): string {
  const digest = createHash('sha256').update(salt).update(password, 'utf8').digest();
  return Buffer.concat([salt, digest]).toString('base64');
}

export type RabbitMqPlace = Readonly<{
  dir: string;
  serverHome: string;
  confFile: string;
  /** Ports of Erlang's own name server and of its distribution, which nothing here uses but which RabbitMQ opens. */
  epmdPort: number;
  distributionPort: number;
}>;

/** Variables that put everything of a server into its folder and on loopback. */
export function rabbitMqEnvironment(place: RabbitMqPlace): Record<string, string> {
  const { dir, serverHome } = place;
  return {
    // Erlang keeps its cookie there: whoever has that can run anything in the server.
    HOME: join(dir, 'home'),
    ERL_EPMD_PORT: String(place.epmdPort),
    ERL_EPMD_ADDRESS: LOOPBACK,
    ERL_LIBS: join(serverHome, 'plugins'),
    ERL_CRASH_DUMP_BYTES: '0',
    RABBITMQ_HOME: serverHome,
    RABBITMQ_PLUGINS_DIR: join(serverHome, 'plugins'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: place.confFile,
    RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, 'advanced.config'),
    RABBITMQ_GENERATED_CONFIG_DIR: join(dir, 'generated'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(dir, 'data'),
    RABBITMQ_LOG_BASE: join(dir, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: join(dir, 'pid'),
    // The data are filed under it, so it stays the same.
    RABBITMQ_NODENAME: 'drawbridge@localhost',
    RABBITMQ_DIST_PORT: String(place.distributionPort),
  };
}

/** `main.ts --config FILE`: the connector of one EVM network. */
import { runConnectorProgram } from '@drawbridge/connector-sdk/connector-program';
import { readSetup } from './config.ts';
import { ProcessLockError } from './process-lock.ts';
import { startConnector } from './quorum-connector.ts';

runConnectorProgram({ readSetup, start: startConnector, inWords: (error) => error instanceof ProcessLockError });

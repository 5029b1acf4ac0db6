/** `main.ts --config FILE`: the connector of one Corda network. */
import { runConnectorProgram } from '@drawbridge/connector-sdk/connector-program';
import { readSetup } from './config.ts';
import { startConnector } from './corda-connector.ts';

runConnectorProgram({ readSetup, start: startConnector });

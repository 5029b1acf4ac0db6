import { testConnector } from '@drawbridge/connector-sdk/conformance/connector-conformance';
import { startQuorumHarness } from './testing/quorum-harness.ts';

testConnector({ name: 'the quorum connector', harness: startQuorumHarness, timeoutMs: 60_000 });

/** Who one is, and what is registered. */
import {
  type AssetList,
  AssetListSchema,
  type NetworkList,
  NetworkListSchema,
  type ParticipantResource,
  ParticipantSchema,
} from '@drawbridge/protocol/api/registry';
import { type Answer, type ApiContext, type ApiServer, callerOf } from '../context.ts';
import { assetResource, networkResources, participantResource } from '../resources.ts';

export function registryRoutes(app: ApiServer, { core }: ApiContext): void {
  app.get(
    '/v1/participant',
    {
      config: { operation: 'participant.read' },
      schema: {
        tags: ['registry'],
        summary: 'Who you are: the participant that your certificate speaks for',
        response: { 200: ParticipantSchema },
      },
    },
    async (request): Answer<ParticipantResource> => participantResource(callerOf(request)),
  );
  app.get(
    '/v1/assets',
    {
      config: { operation: 'asset.list' },
      schema: {
        tags: ['registry'],
        summary: 'Registered assets and their scale',
        response: { 200: AssetListSchema },
      },
    },
    async (): Answer<AssetList> => ({ assets: Array.from(core.view.assets(), assetResource) }),
  );
  app.get(
    '/v1/networks',
    {
      config: { operation: 'network.list' },
      schema: {
        tags: ['registry'],
        summary: 'Registered networks: vaults, finality rule and whether it is final by proof',
        response: { 200: NetworkListSchema },
      },
    },
    async (): Answer<NetworkList> => ({ networks: networkResources(core.view) }),
  );
}

/** `invoke-raw-web3eth-contract`: one method of a contract, by the contract's interface. */
import { getAddress } from 'ethers';
import { contractInterface, decodeOutput, encodeMethod } from './contract-call.ts';
import { type EthereumRpc, refusal } from './ethereum-rpc.ts';
import type { RawContractBody } from './operation-schemas.ts';
import { jsonNumber, quantity, text } from './quantities.ts';
import { callRequest } from './raw-methods.ts';
import type { SigningCredentials } from './signing-credential.ts';
import type { TransactionRunner } from './transaction-runner.ts';

type Dependencies = Readonly<{ rpc: EthereumRpc; credentials: SigningCredentials; runner: TransactionRunner }>;

/** `send` makes the node sign, which only a configuration for development allows. */
export async function invokeRawContract(request: RawContractBody, { rpc, credentials, runner }: Dependencies) {
  const { abi, address, invocationType, contractMethod, contractMethodArgs = [], invocationParams = {} } = request;
  const contract = contractInterface(abi);
  const method = encodeMethod(contract, contractMethod, contractMethodArgs);
  const to = getAddress(address.toLowerCase());
  const call = callRequest({ ...invocationParams, to, data: method.data });
  switch (invocationType) {
    case 'encodeABI':
      return method.data;
    case 'estimateGas':
      return jsonNumber(await rpc.ask('eth_estimateGas', call), 'gas');
    case 'send': {
      const account = credentials.nodeAccount(invocationParams.from ?? '');
      const { gas = invocationParams.gasLimit, gasPrice, value, nonce } = invocationParams;
      return runner.run(
        { kind: 'node', address: account, password: '' },
        {
          to,
          data: method.data,
          ...(gas !== undefined && { gas: quantity(gas, 'gas') }),
          ...(gasPrice !== undefined && { gasPriceWei: quantity(gasPrice, 'gasPrice') }),
          ...(value !== undefined && { valueWei: quantity(value, 'value') }),
          ...(nonce !== undefined && { nonce }),
        },
        { confirmations: 0 },
      );
    }
    default: {
      const answer = await rpc.try('eth_call', [call, 'latest']);
      if ('refused' in answer) throw refusal('eth_call', answer.refused);
      return decodeOutput(contract, method, text(answer.result, 'call output'));
    }
  }
}

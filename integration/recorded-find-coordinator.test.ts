import { FindCoordinator } from '../src/kafka-protocol/index.ts';
import { STRANGE_GROUP_IDS } from './support/groups.ts';
import { recorded } from './support/recorded.ts';

const VERSIONS = [0, 1, 2, 3];
const BATCHED = [4, 5, 6];
const UNKNOWN_TYPES = [-128, -1, 3, 127];

recorded('find-coordinator', {
  'group ids, one at a time': async ({ ask }) => {
    for (const version of VERSIONS) {
      for (const key of STRANGE_GROUP_IDS) await ask(FindCoordinator, version, { key });
    }
  },

  'group ids, many at a time': async ({ ask }) => {
    for (const version of BATCHED) {
      const lists = [STRANGE_GROUP_IDS, [], ['g'], ['g', 'g'], ['b', 'a', 'b', 'c', '', '']];
      for (const coordinatorKeys of lists) {
        await ask(FindCoordinator, version, { keyType: 0, coordinatorKeys });
      }
    }
  },

  'types that do not exist': async ({ ask }) => {
    for (const keyType of UNKNOWN_TYPES) {
      for (const version of [1, 2, 3]) {
        for (const key of ['', 'g']) await ask(FindCoordinator, version, { keyType, key });
      }
      for (const version of BATCHED) {
        for (const coordinatorKeys of [[], [''], ['g', 'g', 'h']]) {
          await ask(FindCoordinator, version, { keyType, coordinatorKeys });
        }
      }
    }
  },

  'transactional ids and share partitions before there are any': async ({ ask }) => {
    for (const version of BATCHED) {
      for (const keyType of [1, 2]) await ask(FindCoordinator, version, { keyType });
    }
    await ask(FindCoordinator, 1, { keyType: 2, key: 'g:x:0' });
    await ask(FindCoordinator, 3, { keyType: 2, key: 'g:x:0' });
    await ask(FindCoordinator, 5, { keyType: 2, coordinatorKeys: ['g:x:0'] });
  },

  // There is no coordinator of these types: a client that asks shall fail, and not ask for ever.
  'transactional ids and share partitions, which have no coordinator here': async ({ ask }) => {
    const none = { nodeId: -1, host: '', port: -1, errorCode: 42 };
    const told = { ...none, errorMessage: '<text>' };
    for (const version of [1, 2, 3]) {
      await ask(FindCoordinator, version, { keyType: 1, key: 't' }, { ours: told });
    }
    for (const version of BATCHED) {
      const coordinators = [{ key: 't', ...told }];
      const request = { keyType: 1, coordinatorKeys: ['t'] };
      await ask(FindCoordinator, version, request, { ours: { coordinators } });
    }
    const coordinators = [{ key: 'g:x:0', ...none, errorMessage: '' }];
    const request = { keyType: 2, coordinatorKeys: ['g:x:0'] };
    await ask(FindCoordinator, 6, request, { ours: { coordinators } });
  },
});

/** From a frame to its handler and back. */
export { createDispatcher, type Dispatcher } from './dispatcher.ts';
export { advertisedApis, handlerTable } from './handler-table.ts';

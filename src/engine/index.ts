export * from './engine.ts';
export { createNativeEngine } from './native-engine.ts';

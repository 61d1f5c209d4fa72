/** The metadata log as every broker sees it: its records, the image they make, and what is open here. */
export {
  ClusterMetadata,
  type ClusterMetadataDeps,
  type LocalPartition,
} from './cluster-metadata.ts';
export * from './image.ts';
export * from './record-codec.ts';
export type * from './records.ts';

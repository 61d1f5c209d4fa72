declare module 'kafkajs-snappy' {
  const codec: () => {
    compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
    decompress(buffer: Buffer): Promise<Buffer>;
  };
  // biome-ignore lint/style/noDefaultExport: this is how the package exports it.
  export default codec;
}

/** The part of seek-bzip that bzip2.ts uses; the package has no types. */
declare module 'seek-bzip' {
  interface ByteSource {
    readByte(): number;
    read(target: Uint8Array, offset: number, count: number): number;
  }
  interface ByteSink {
    writeByte(byte: number): void;
  }
  const Bunzip: {
    /** Decodes one stream. Reads a source without `eof` to the end of the stream and no further. Throws TypeError. */
    decode(source: ByteSource, sink: ByteSink): void;
  };
  export default Bunzip;
}

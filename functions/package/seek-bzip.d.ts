/** seek-bzip brings no types; this is the part that bzip2.ts uses. */
declare module 'seek-bzip' {
  interface ByteSource {
    readByte(): number;
    read(target: Uint8Array, offset: number, count: number): number;
  }
  interface ByteSink {
    writeByte(byte: number): void;
  }
  const Bunzip: {
    /** Decodes one stream; a source without `eof` is read up to the stream's end and no further. Throws TypeError. */
    decode(source: ByteSource, sink: ByteSink): void;
  };
  export default Bunzip;
}

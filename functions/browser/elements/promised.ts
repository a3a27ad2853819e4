import { useEffect, useState } from 'preact/hooks';

/** The value that `make` promises; undefined until it is there. @param key says what the value is of: another key, another value. */
export function usePromised<Value>(key: string, make: () => Promise<Value>): Value | undefined {
  const [made, setMade] = useState<{ readonly key: string; readonly value: Value }>();
  useEffect(() => {
    let isWanted = true;
    void make().then((value) => isWanted && setMade({ key, value }));
    return () => {
      isWanted = false;
    };
  }, [key]);
  return made?.key === key ? made.value : undefined;
}

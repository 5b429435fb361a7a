/** Reads until what is read is as wanted, at most ten seconds; then the last value: the assertion that follows explains. */
export async function eventually<T>(read: () => T | PromiseLike<T>, wanted: (value: T) => unknown): Promise<T> {
  for (let tries = 0; tries < 200; tries++) {
    const value = await read();
    if (wanted(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return await read();
}

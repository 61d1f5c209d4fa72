import fc from 'fast-check';

// In CI every run tries the same cases: what is red is so because of a change. Elsewhere each run tries others.
if (process.env.CI === 'true') fc.configureGlobal({ seed: 1 });

export { fc };

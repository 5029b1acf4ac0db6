// Preloaded where unit tests run in plain Node (jest.unit.config.mjs): TypeScript by tsx, and `@jest/globals` from the global
// scope, as the package itself refuses to load outside of Jest's own module system.
import { register } from 'node:module';

const globals = new URL('./jest-globals.mjs', import.meta.url).href;
const hooks = `export const resolve = (specifier, context, next) =>
  specifier === '@jest/globals' ? { url: ${JSON.stringify(globals)}, shortCircuit: true } : next(specifier, context);`;

await import('tsx');
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

// The package's modules name each other without file extensions and are not declared to be modules: they are made for
// bundlers. This lets Node resolve them as a bundler does; not one file is changed.

const PACKAGE = '/node_modules/mobility-toolbox-js/';

export async function resolve(specifier, context, next) {
    const inside = specifier.startsWith('.') && context.parentURL?.includes(PACKAGE);
    const resolved = await next(inside ? `${specifier}.js` : specifier, context);
    return resolved.url.includes(PACKAGE) ? { ...resolved, format: 'module' } : resolved;
}

/**
 * In two lines, that a Node is too old for this program, and how to run it all the same: npm has each Node
 * as a package (https://www.npmjs.com/package/node).
 * @param needed major and minor version, as in "20.19"
 * @param found as process.versions.node has it
 */
export function complainAboutNode(needed: string, found: string): string | undefined {
	return isOlder(found, needed)
		? `fw-wizard: Node ${needed} or newer is needed; this is Node ${found}\nFetch a newer one for this run: npx -y -p node@22 -p fw-wizard fw-wizard`
		: undefined;
}

/** Compares versions by their first two numbers. */
export function isOlder(found: string, needed: string): boolean {
	const [major = 0, minor = 0] = found.split('.').map(Number);
	const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number);
	return major < neededMajor || (major === neededMajor && minor < neededMinor);
}

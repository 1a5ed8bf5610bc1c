/**
 * In one line, that a Node is too old for this program.
 * @param needed major and minor version, as in "20.19"
 * @param found as process.versions.node has it
 */
export function complainAboutNode(needed: string, found: string): string | undefined {
	const [major = 0, minor = 0] = found.split('.').map(Number);
	const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number);
	const old = major < neededMajor || (major === neededMajor && minor < neededMinor);
	return old ? `fw-wizard needs Node ${needed} or newer; this is Node ${found}` : undefined;
}

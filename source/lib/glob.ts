/** A pattern of the shell (glob(7)), for whole names: `*`, `?` and `[…]`; everything else is literal. */
export function globToRegExp(pattern: string): RegExp {
	const source = pattern
		.replaceAll(/[.+^${}()|\\/]/g, String.raw`\$&`)
		// A bracket that nothing closes stands for itself.
		.replaceAll(/\[(?![^\]]+\])/g, String.raw`\[`)
		.replaceAll('*', '[^]*')
		.replaceAll('?', '[^]')
		.replaceAll('[!', '[^');
	return new RegExp(`^${source}$`);
}

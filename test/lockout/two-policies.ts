/** Flags of `apply` for two policies that have no rule of an opening in common, with published ports and without. */
export const TWO_POLICIES = [
	['--role', 'server', '--open', '22/tcp', '--no-helper', '--published', 'leave'],
	'--role server --open 80/tcp --verdict drop --helper ftp --published policy'.split(' '),
] as const;

/** Another program that filters packets here, or rules that nobody owns up to. */
export type Neighbour = {
	/** As one calls it: 'ufw', 'Docker', 'rules in INPUT'. Safe to print. */
	readonly name: string;
	/** A manager owns the firewall or loads it at boot; a service makes rules for its own use. */
	readonly kind: 'manager' | 'service' | 'rules';
	/** What it does, in one sentence. */
	readonly does: string;
	/** What that means here, in one sentence. */
	readonly means: string;
	/** ufw or firewalld in use: nothing can be applied until it is switched off. */
	readonly owns: boolean;
	/** Without its rules in the filter table it does not work. */
	readonly needsFilter: boolean;
};

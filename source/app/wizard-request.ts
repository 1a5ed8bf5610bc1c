import type {Existing} from '../existing/cleanup-plan.ts';
import type {HostFacts} from '../host/machine/host-facts.ts';
import type {BootChoice} from '../persistence/init-system.ts';
import type {PolicyPart} from '../policy/policy.ts';

/** What the command line gives the wizard to start with. */
export type WizardRequest = {
	/** What is known of the machine at once. */
	readonly first: HostFacts;
	/** The answers that are known already. */
	readonly preset: PolicyPart;
	/** What happens to rules of other programs. */
	readonly existing: Existing;
	/** How many seconds a change waits for its confirmation. */
	readonly seconds: number;
	/** How the rules are to be loaded at boot, where the user has said it. */
	readonly boot: BootChoice | undefined;
	/** False: changes are loaded without a trial in an isolated copy first. */
	readonly rehearsal: boolean;
	/** Begin at the step Apply: root continues where an ordinary user could not. */
	readonly atApply: boolean;
	/** False where the user wants no color. */
	readonly color: boolean;
};

/** Runs the wizard. @returns the exit code: 0 confirmed, 4 rolled back, 130 left before anything was loaded */
export type StartWizard = (request: WizardRequest) => Promise<number>;

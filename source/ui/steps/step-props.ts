import type {Dispatch} from 'react';
import type {Known} from '../../app/discover.ts';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import type {Existing} from '../../existing/cleanup-plan.ts';
import type {Exposure} from '../../exposure/model.ts';
import type {Elevation} from '../../host/exec/elevation.ts';
import type {Availability} from '../../host/machine/modules.ts';
import type {HelperName} from '../../policy/helpers.ts';
import type {Policy} from '../../policy/policy.ts';
import type {RemoteClient} from '../../ruleset/lockout.ts';
import type {ChecklistState} from '../hooks/use-checklist.ts';
import type {Comparison, ProofState} from '../hooks/use-proof.ts';
import type {Flow, FlowEvent} from '../state/state.ts';
import type {Line} from '../text/wrap.ts';

/** What every step is given. Steps read the flow and send events; they know nothing of the machine. */
export type StepProps = {
	readonly flow: Flow;
	readonly dispatch: Dispatch<FlowEvent>;
	readonly machine: Machine;
	/** What applying the answers would do. What is shown is printed from it. */
	readonly plan: ApplyPlan;
	/** The lines of the view that Review shows. */
	readonly review: readonly Line[];
	/** How many lines the step may use. */
	readonly height: number;
	readonly proof: ProofState;
	readonly comparison: Comparison;
	readonly checklist: ChecklistState;
	readonly actions: Actions;
};

/** What a step can do beyond the flow. */
export type Actions = {
	/** Loads the rules and waits for the confirmation. */
	readonly apply: () => void;
	/** Keeps the rules that are loaded. */
	readonly keep: () => void;
	/** Ends the wizard: nothing was changed. */
	readonly leave: () => void;
	/** Leaves the screen, to go on as root with all answers. */
	readonly elevate: (elevation: Elevation) => void;
	readonly reboot: () => void;
};

/** What the wizard knows of the machine. */
export type Machine = {
	/** What was found, for Welcome. */
	readonly findings: readonly Line[];
	/** What is still being looked for, in words. As long as there is something, keys wait in Welcome. */
	readonly looking: readonly string[];
	/** What answers depend on, as far as it was found out. The value changes only when it does. */
	readonly known: Known;
	/** Whether the internet can come to this machine at all, in one sentence. */
	readonly nat: string;
	/** What the outside can reach now, and with these rules. */
	readonly findExposure: (plan: ApplyPlan) => Promise<Exposure>;
	/** Which helpers the kernel has; empty until that is known. */
	readonly helpers: ReadonlyMap<HelperName, Availability>;
	/** The addresses at which others reach this machine, one of each family. */
	readonly addresses: readonly string[];
	/** The interface that a tried packet comes in on. */
	readonly inInterface: string;
	/** Who uses the wizard from outside; undefined at the console or when that is not known. */
	readonly remoteClient: RemoteClient | undefined;
	/** What loads the rules at boot; undefined where none of our ways works. */
	readonly boot: string | undefined;
	/** How many seconds there are to confirm in. */
	readonly seconds: number;
	/** Nobody can log in to a rehearsal. */
	readonly rehearsal: boolean;
	/** What an ordinary user can become root with; undefined for root, and where nothing is. */
	readonly elevation: Elevation | undefined;
	/** What applying a policy would do here. It is another function when more is known. */
	readonly planApply: (policy: Policy, existing: Existing) => ApplyPlan;
};

/** What would remove the obstacle of a plan: going on as root. */
export function elevationFor({obstacle}: ApplyPlan, machine: Machine): Elevation | undefined {
	return obstacle?.kind === 'not-root' ? machine.elevation : undefined;
}

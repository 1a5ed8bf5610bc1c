import {ApplyStep} from './apply-step.tsx';
import {ExistingRulesStep} from './existing-rules-step.tsx';
import {HelpersStep} from './helpers-step.tsx';
import {HomeStep} from './home-step.tsx';
import {PortsStep} from './ports-step.tsx';
import {ProofStep} from './proof-step.tsx';
import {RejectionStep} from './rejection-step.tsx';
import {ResultStep} from './result-step.tsx';
import {ReviewStep} from './review-step.tsx';
import {RoleStep} from './role-step.tsx';
import {WelcomeStep} from './welcome-step.tsx';

/** The component of each step. */
export const STEP_VIEWS = {
	home: HomeStep,
	welcome: WelcomeStep,
	neighbours: ExistingRulesStep,
	role: RoleStep,
	rejection: RejectionStep,
	helpers: HelpersStep,
	ports: PortsStep,
	review: ReviewStep,
	proof: ProofStep,
	apply: ApplyStep,
	result: ResultStep,
} as const;

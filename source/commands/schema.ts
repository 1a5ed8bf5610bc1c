import * as z from 'zod/mini';
import {printJson} from '../lib/json.ts';
import type {SchemaName} from './options/words.ts';
import {SCHEMAS} from './schema/outputs.ts';

/**
 * `fw-wizard schema`: the JSON Schema (draft 2020-12) of a policy file, of what a command prints with --json,
 * of a line of `log --follow --json`, or of a failure. Later versions may print more fields.
 */
export function printSchema(name: SchemaName): string {
	const schema = z.toJSONSchema(SCHEMAS[name](), {io: 'input'});
	return printJson({title: `fw-wizard ${name}`, ...schema});
}

import path from 'node:path';
import type {Command} from '../change/boot-files.ts';
import {RESTORE_FILE, STATE_DIR, WATCH_FILE, WATCH_STATE_DIR} from '../change/paths.ts';
import {cksum} from '../lib/cksum.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';
import {ENABLED_LINK} from '../persistence/init/systemd.ts';
import {WATCH_LINKS, WATCH_TIMER} from '../persistence/watch/systemd-units.ts';
import {type BootPlan, writtenFiles} from './boot.ts';

/** Ends a file in the script (a here-document). No line of a file that we write is like this. */
const END = 'FW-WIZARD-END';

/** The functions of the exported script that write, restore and remove the files of the next boot. */
export function printFileFunctions({keep, remove}: BootPlan): string {
	const written = writtenFiles(keep);
	const absent = Object.keys(keep.files).filter((file) => keep.files[file] === null);
	// In the order of a removal: what starts something goes before what is started.
	const links = [ENABLED_LINK, ...WATCH_LINKS];
	const all = [...Object.keys(keep.files), ...links].reverse();
	const folders = [...new Set(written.map(({file}) => path.dirname(file)))];
	return `# The file $2 below $1, with mode $3, written beside it as .new. $4: what cksum prints for it.
put() {
	rm -f "$1$2.new" && mkdir -p "$1\${2%/*}" && cat >"$1$2.new" && chmod "$3" "$1$2.new" && [ "$(cksum <"$1$2.new")" = "$4" ]
}

# All files that the next boot needs, below $1.
write_files() {
${written.map(printFile).join('\n')}
}

files='${all.join('\n')}'

# Those of this script are in /etc: 0. Else $differs names those that are not, a line each, and 1; or one that cannot be
# read, and 3.
files_kept() {
	differs=
${written.map(({file, text}) => `	file_kept ${file} '${cksum(text)}' || return\n`).join('')}${absent
	.map((file) => `	! there ${file} || differs="$differs${file}$nl"\n`)
	.join('')}	! command -v systemctl >/dev/null || for link in ${links.join(' ')}; do
		there "$link" || differs="$differs$link$nl"
	done
	[ -z "$differs" ]
}

# A link that cannot be followed is another file.
file_kept() {
	sum=
	if there "$1" && [ ! -L "$1" ]; then
		sum=$(cksum <"$1") && [ -n "$sum" ] || { differs=$1; return 3; }
	fi
	[ "$sum" = "$2" ] || differs="$differs$1$nl"
}

# Copies what is in /etc into the state, to restore it from there. A run that was cut off has done so before
# it renamed anything.
back_up_files() {
	! there "$state/keeping" || return 0
	rm -rf "$state/old"
	for file in $files; do
		there "$file" || continue
		mkdir -p "$state/old\${file%/*}" && cp -pP "$file" "$state/old$file" && same "$file" "$state/old$file" || return 1
	done
}

same() {
	if [ -L "$1" ] || [ -L "$2" ]; then
		[ "$(readlink "$1")" = "$(readlink "$2")" ]
	else
		cmp -s "$1" "$2"
	fi
}

restore_files() {
	for file in $files; do
		if there "$state/old$file"; then
			same "$file" "$state/old$file" || {
				cp -pP "$state/old$file" "$file.new" && mv -f "$file.new" "$file"
				same "$file" "$state/old$file"
			} || wrong="$wrong, $file"
		elif there "$file"; then
			rm -f "$file"
			! there "$file" || wrong="$wrong, $file"
		fi
	done
	remove_beside
	sync_folders
${printCommands([['systemctl', 'daemon-reload']])}	there ${WATCH_LINKS.at(-1)} || systemctl --quiet stop ${WATCH_TIMER} 2>/dev/null
	:
}

remove_beside() {
	for file in $files; do rm -f "$file.new"; done
	there ${WATCH_FILE} || rm -rf ${WATCH_STATE_DIR}
	rmdir ${path.dirname(RESTORE_FILE)} ${STATE_DIR} 2>/dev/null
}

# Each argument of sync(1) is synced, and an error told; older ones sync all, whatever they are given.
sync_files() {
${written.map(({file}) => `	sync ${file}.new || return\n`).join('')}}
sync_folders() {
	for folder in /etc ${folders.join(' ')}; do
		[ ! -d "$folder" ] || sync "$folder" || return
	done
}

# Renames what was written beside, and reads it back.
rename_files() {
${printCommands(keep.before)}${written.map(({file}) => `	mv -f ${file}.new ${file} || return\n`).join('')}${absent
	.map((file) => `	rm -f ${file} || return\n`)
	.join('')}${printCommands(keep.after)}	sync_folders && files_kept
}

remove_files() {
${printCommands(remove.before)}	for file in ${Object.keys(remove.files).map(quoteIfNeeded).join(' ')}; do
		rm -f "$file"
		! there "$file" || wrong="$wrong, $file"
	done
${printCommands(remove.after)}	! there ${ENABLED_LINK} || wrong="$wrong, ${ENABLED_LINK}"
	remove_beside
	sync_folders
	[ -z "$wrong" ]
}
`;
}

function printFile({file, text, mode}: ReturnType<typeof writtenFiles>[number]): string {
	return `put "$1" ${file} ${mode} '${cksum(text)}' <<'${END}' || return\n${text}${END}`;
}

/** Commands whose failure does not matter: without systemd all of them fail, and what matters is read back. */
function printCommands(commands: readonly Command[]): string {
	return commands.map((words) => `	${words.map(quoteIfNeeded).join(' ')} 2>/dev/null\n`).join('');
}

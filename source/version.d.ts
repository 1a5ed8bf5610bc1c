/** The version in package.json, put in by the build. */
declare const FW_WIZARD_VERSION: string;
/** The oldest Node that runs the program, as in "20.19"; from package.json too. */
declare const FW_WIZARD_NODE: string;
